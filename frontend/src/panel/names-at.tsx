// Tells the fields inside which names stand in the scope of a node.

import { type ReactNode, useMemo } from "react";
import { namesAt } from "../document/scope-names";
import { NamesProvider } from "../fields/named-text";
import { useWork } from "../work";

type Props = { node: string; andItself?: boolean; children: ReactNode };

/** `andItself`: what is read there runs behind the node, so it reads the node's own result as well. */
export function NamesAt({ node, andItself = false, children }: Props) {
  const { document, nodes, edges, tried } = useWork();
  const names = useMemo(
    () => namesAt(document, nodes, edges, node, tried, andItself),
    [document, nodes, edges, node, tried, andItself],
  );
  return <NamesProvider value={names}>{children}</NamesProvider>;
}
