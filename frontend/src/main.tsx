// The flow editor: mounts where the page leaves room for it.

import "@xyflow/react/dist/style.css";
import "./styles/frame.css";
import "./styles/canvas.css";
import "./styles/fields.css";
import "./styles/names.css";
import "./styles/panel.css";
import "./styles/overlays.css";
import "./styles/narrow.css";
import { ReactFlowProvider } from "@xyflow/react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { Editor } from "./editor";
import { pageData } from "./server/page";

const root = document.getElementById("editor");
if (root) {
  // At once, while the page is held back: nobody sees it empty.
  flushSync(() =>
    createRoot(root).render(
      <ReactFlowProvider>
        <Editor page={pageData(root)} />
      </ReactFlowProvider>,
    ),
  );
}
