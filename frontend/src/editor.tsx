// The editor as a whole: head, notices, tools, palette, canvas, panel, checks.

import { useReactFlow } from "@xyflow/react";
import { useEffect, useMemo, useRef, useState } from "react";
import { Canvas } from "./canvas/canvas";
import { useKeys } from "./canvas/keys";
import { HEIGHT, tidy, WIDTH } from "./canvas/layout";
import { Palette } from "./canvas/palette";
import { Toolbar } from "./canvas/toolbar";
import { located } from "./document/findings";
import { type JsonObject, objectOf, parse } from "./document/json";
import { newNode } from "./document/new-node";
import { type Clip, copied, moveNodes, nameOf, type Place, pasted, remove } from "./document/parts";
import { EdgePanel } from "./panel/edge-panel";
import { FlowPanel } from "./panel/flow-panel";
import { NodePanel } from "./panel/node-panel";
import { Versions } from "./panel/versions";
import { Api } from "./server/api";
import type { Group, Page } from "./server/page";
import { useSession } from "./session/session";
import { useValidation } from "./session/validation";
import { Checks } from "./shell/checks";
import { focusPanel, focusPart } from "./shell/focus";
import { Head } from "./shell/head";
import { Clashed, Left, Refused } from "./shell/notices";
import { Question } from "./shell/question";
import { toast } from "./shell/toast";
import { NOTHING, useWorkState, WorkProvider } from "./state";

const WIDE = "(min-width: 75rem)";
const NARROW = "(max-width: 60rem)";
const SHIFT = { x: 40, y: 40 };

export function Editor({ page }: { page: Page }) {
  const api = useMemo(() => new Api(page), [page]);
  const state = useWorkState(page);
  const { document, nodes, edges, selection, select, edit } = state;
  const { groups, providers } = useTenant(api, page);
  const session = useSession(page, api, state, groups);
  const checked = useValidation(api, document);
  const found = useMemo(() => located(checked.diagnostics, nodes, edges), [checked.diagnostics, nodes, edges]);
  const canvas = useReactFlow();
  const clip = useRef<Clip | null>(null);
  const [isPaletteOpen, setPalette] = useState(() => page.may_change && matchMedia(WIDE).matches);
  const [wish, setWish] = useState<"flow" | "versions">("flow");
  const [isSheetOpen, setSheet] = useState(() => !matchMedia(NARROW).matches);

  const choose = (chosen: typeof selection) => {
    setWish("flow");
    setSheet(true);
    select(chosen);
  };
  const add = (name: string, place?: Place) => {
    const kind = state.kinds.get(name);
    if (!kind) return;
    const made = newNode(document, nodes, kind, place ?? middle(canvas));
    edit(made.document);
    choose({ nodes: [made.key], edges: [] });
    focusPanel();
  };
  const copy = () => {
    if (!selection.nodes.length) return "";
    clip.current = copied(document, new Set(selection.nodes));
    toast(`Copied ${selection.nodes.length} node${selection.nodes.length === 1 ? "" : "s"}`);
    return JSON.stringify({ scaigrid_nodes: clip.current });
  };
  const paste = (text = "") => {
    const given = clipIn(text) ?? clip.current;
    if (!given || state.isReadOnly) return;
    const made = pasted(document, given, SHIFT);
    clip.current = { nodes: given.nodes.map((node) => shifted(node)), edges: given.edges };
    edit(made.document);
    choose({ nodes: made.keys, edges: [] });
  };
  const drop = () => {
    edit(remove(document, new Set(selection.nodes), new Set(selection.edges)));
    select(NOTHING);
  };
  const togglePalette = () => {
    if (matchMedia(NARROW).matches) setSheet(false);
    setPalette(!isPaletteOpen);
  };
  const arrange = () => {
    edit(moveNodes(document, tidy(nodes, edges)));
    requestAnimationFrame(() => canvas.fitView({ padding: 0.18, maxZoom: 1 }));
  };
  useKeys({
    save: () => page.may_change && session.save(),
    undo: state.undo,
    redo: state.redo,
    copy,
    paste,
    selectAll: () => select({ nodes: nodes.map((node) => node.key), edges: edges.map((edge) => edge.key) }),
  });

  const node =
    selection.nodes.length === 1 && !selection.edges.length
      ? nodes.find((each) => each.key === selection.nodes[0])
      : undefined;
  const edge =
    selection.edges.length === 1 && !selection.nodes.length
      ? edges.find((each) => each.key === selection.edges[0])
      : undefined;
  const many = selection.nodes.length + selection.edges.length > 1;
  const shows = node ? "node" : edge ? "edge" : many ? "many" : wish;
  const title = {
    node: node ? nameOf(node) : "",
    edge: "Edge",
    many: "Selection",
    flow: "Flow properties",
    versions: "Versions",
  }[shows];
  const close = () => {
    const key = selection.nodes[0] ?? selection.edges[0];
    select(NOTHING);
    setWish("flow");
    if (shows === "flow" || matchMedia(NARROW).matches) setSheet(false);
    if (key) focusPart(key);
  };
  const work = { ...state, select: choose, diagnostics: checked.diagnostics };

  return (
    <WorkProvider value={work}>
      <div className="stack editor">
        <Head {...session} isReadOnly={state.isReadOnly} save={session.save} deploy={() => session.deploy()} />
        {session.clash && (
          <Clashed clash={session.clash} keep={session.save} load={session.loadTheirs} flowUrl={page.urls.flow} />
        )}
        {session.notice && <Refused notice={session.notice} close={session.close} />}
        {session.drafts.isFailing && (
          <p className="notice warn">This browser keeps no drafts: what is not saved is lost when the page closes.</p>
        )}
        {!session.clash && session.drafts.left[0] && (
          <Left
            draft={session.drafts.left[0]}
            restore={() => session.drafts.restore(session.drafts.left[0]!)}
            drop={() => session.drafts.drop(session.drafts.left[0]!)}
          />
        )}
        {session.standing.lost_groups.length > 0 && (
          <p className="notice warn">
            The saved groups {session.standing.lost_groups.join(", ")} do not exist (any more). Deploy will refuse until
            that is mended.
          </p>
        )}
        {session.standing.has_drifted && !session.standing.lost_groups.length && (
          <p className="notice warn">
            Who can call this was changed outside this page, by the API or because a group was deleted. Deploy brings it
            back in line with what is saved.
          </p>
        )}
        {state.isReadOnly && (
          <p className="notice">
            Only tenant admins of {page.tenant_name} may change, save and deploy this flow
            {page.admins.length ? `: ${page.admins.join(", ")}` : ""}.
          </p>
        )}
        {session.questions && (
          <Question questions={session.questions} agree={() => session.deploy(true)} decline={session.decline} />
        )}
        <div className={`bench ${isPaletteOpen ? "has-palette" : ""}`}>
          <Toolbar
            isPaletteOpen={isPaletteOpen}
            togglePalette={togglePalette}
            tidy={arrange}
            fit={() => void canvas.fitView({ padding: 0.18, maxZoom: 1 })}
            copy={copy}
            paste={() => paste()}
            drop={drop}
            panel={shows === "flow" || shows === "versions" ? shows : "other"}
            show={(panel) => {
              select(NOTHING);
              setWish(panel);
              setSheet(true);
              focusPanel();
            }}
          />
          {isPaletteOpen && (
            <aside id="palette" aria-label="Node kinds">
              <Palette
                add={(kind) => {
                  if (matchMedia(NARROW).matches) setPalette(false);
                  add(kind);
                }}
              />
            </aside>
          )}
          <div className="canvas-frame">
            <Canvas found={found} add={add} />
          </div>
          <section
            id="panel"
            className={`panel ${isSheetOpen ? "is-open" : ""}`}
            aria-labelledby="panel-title"
            onKeyDown={(event) => event.key === "Escape" && close()}
          >
            <div className="row apart panel-head">
              <h2 id="panel-title" tabIndex={-1}>
                {title}
              </h2>
              {(shows !== "flow" || matchMedia(NARROW).matches) && (
                <button type="button" className="button quiet" onClick={close}>
                  Close
                </button>
              )}
            </div>
            {shows === "flow" && <FlowPanel groups={groups} providers={providers} nameError={session.nameError} />}
            {shows === "versions" && (
              <Versions
                api={api}
                saved={session.saved.version}
                take={(version, content) => {
                  edit(restored(document, content));
                  toast(`Version ${version} is on the canvas, not saved yet`);
                }}
                rolledBack={session.rolledBack}
                refused={(refusal) => session.tell("That did not work.", refusal)}
              />
            )}
            {node && shows === "node" && <NodePanel key={node.key} node={node} found={found} />}
            {edge && shows === "edge" && <EdgePanel key={edge.key} edge={edge} found={found} />}
            {shows === "many" && (
              <p>
                {selection.nodes.length} nodes and {selection.edges.length} edges are selected. Arrow keys move them,
                Delete takes them away.
              </p>
            )}
          </section>
        </div>
        <Checks found={found} state={checked.state} />
      </div>
    </WorkProvider>
  );
}

/** The tenant's groups and model providers; who may not read them does without. */
function useTenant(api: Api, page: Page) {
  const [groups, setGroups] = useState<Group[] | null>(null);
  const [providers, setProviders] = useState<string[]>([]);
  useEffect(() => {
    if (!page.may_change) return;
    api.groups().then(setGroups, () => {});
    api.providers().then(setProviders, () => {});
  }, [api, page]);
  return { groups, providers };
}

/** Where a node would stand in the middle of what is to be seen. */
function middle(canvas: ReturnType<typeof useReactFlow>): Place {
  const { left, top, width, height } = window.document.querySelector(".canvas-frame")!.getBoundingClientRect();
  const { x, y } = canvas.screenToFlowPosition({ x: left + width / 2, y: top + height / 2 });
  return { x: x - WIDTH / 2, y: y - HEIGHT / 2 };
}

function clipIn(text: string): Clip | null {
  if (!text.includes("scaigrid_nodes")) return null;
  try {
    const { nodes, edges } = objectOf(objectOf(parse(text)).scaigrid_nodes);
    return Array.isArray(nodes) && Array.isArray(edges) ? ({ nodes, edges } as Clip) : null;
  } catch {
    return null;
  }
}

/** Another paste of the same lands beside the last one. */
function shifted(node: JsonObject): JsonObject {
  const { x, y } = objectOf(node.position);
  return typeof x === "number" && typeof y === "number"
    ? { ...node, position: { ...objectOf(node.position), x: x + SHIFT.x, y: y + SHIFT.y } }
    : node;
}

/** An earlier document on the canvas; what the server owns stays as it is. */
function restored(document: JsonObject, content: JsonObject): JsonObject {
  return {
    ...content,
    id: document.id!,
    name: document.name!,
    version: document.version!,
    metadata: { ...objectOf(content.metadata), description: objectOf(document.metadata).description ?? "" },
  };
}
