// Trying the flow as it is on the canvas, saved or not: what its nodes do, and what it answers.

import { type RefObject, useRef, useState } from "react";
import { type Json, type JsonObject, objectOf, textOf } from "../document/json";
import type { Api } from "../server/api";
import type { ServerEvent } from "../server/events";
import type { Page } from "../server/page";
import { Refusal } from "../server/request";

/** What a node did, or does as long as it has neither a duration nor an error. */
export type NodeTrace = {
  id: string;
  kind: string;
  started_ms: number;
  duration_ms?: number;
  input?: JsonObject;
  result?: unknown;
  prompt_tokens?: number;
  completion_tokens?: number;
  error?: string;
  warnings?: string[];
  provider_errors?: string[];
  call?: string;
  arguments?: unknown;
};

/** `text` is the answer as far as it has come, `answer` what the run gave; `problem` says why there is none. */
export type Attempt = {
  isRunning: boolean;
  call: JsonObject;
  text: string;
  answer: Json | undefined;
  tokens: number | null;
  problem: string;
  ended: string;
  /** The memory that the run would have left behind. */
  state: Json | undefined;
};

/** One node that runs by itself on what the others gave in the last run. */
export type Alone = { id: string; isRunning: boolean; problem: string };

const NONE: Attempt = {
  isRunning: false,
  call: {},
  text: "",
  answer: undefined,
  tokens: null,
  problem: "",
  ended: "",
  state: undefined,
};
export type Trying = ReturnType<typeof useTrying>;

export function useTrying(api: Api, page: Page) {
  /** What is asked, in the words of the API; fields that are empty are left out. */
  const [call, setCall] = useState<JsonObject>(page.again ?? { message: "hello" });
  const [attempt, setAttempt] = useState<Attempt>(NONE);
  const [alone, setAlone] = useState<Alone | null>(null);
  const [nodes, setNodes] = useState<NodeTrace[]>([]);
  const hangUp = useRef<AbortController>(null);
  const note = ({ name, data }: ServerEvent) => {
    if (name === "text" && data.kind !== "thought")
      setAttempt((now) => ({ ...now, text: now.text + textOf(data.text) }));
    if (name.startsWith("node.")) setNodes((now) => withNode(now, data as unknown as NodeTrace));
    if (name === "run.finished") setAttempt((now) => finished(now, data));
  };
  const run = async (content: JsonObject) => {
    const { signal } = begin(hangUp);
    setNodes([]);
    setAttempt({ ...NONE, isRunning: true, call });
    try {
      for await (const event of api.run({ ...call, content }, signal)) note(event);
      setAttempt((now) => (now.isRunning ? { ...now, ...broken("The connection was cut.") } : now));
    } catch (problem) {
      setAttempt((now) => ({ ...now, ...broken(reasonOf(problem, signal)) }));
    }
  };
  const runAlone = async (content: JsonObject, id: string) => {
    const { signal } = begin(hangUp);
    const { call: asked, state } = attempt;
    const body = { ...asked, ...(state !== undefined && { state }), content, node: id, results: resultsOf(nodes, id) };
    setAlone({ id, isRunning: true, problem: "" });
    try {
      for await (const { name, data } of api.run(body, signal)) {
        if (name.startsWith("node.") && data.id === id) setNodes((now) => withOnly(now, data as unknown as NodeTrace));
      }
      setAlone({ id, isRunning: false, problem: "" });
    } catch (problem) {
      setAlone({ id, isRunning: false, problem: reasonOf(problem, signal) });
    }
  };
  return { call, setCall, attempt, nodes, alone, run, runAlone, stop: () => hangUp.current?.abort() };
}

/** In place of all that a node did before, what it does now. */
function withOnly(nodes: NodeTrace[], node: NodeTrace): NodeTrace[] {
  const index = nodes.findIndex((each) => each.id === node.id);
  const others = nodes.filter((each) => each.id !== node.id);
  return index < 0 ? [...others, node] : others.toSpliced(index, 0, node);
}

function begin(hangUp: RefObject<AbortController | null>): AbortController {
  hangUp.current = new AbortController();
  return hangUp.current;
}

function withNode(nodes: NodeTrace[], node: NodeTrace): NodeTrace[] {
  const keyOf = (each: NodeTrace) => `${each.id} ${each.call ?? ""} ${each.started_ms}`;
  const index = nodes.findIndex((each) => keyOf(each) === keyOf(node));
  return index < 0 ? [...nodes, node] : nodes.with(index, node);
}

function finished(now: Attempt, data: JsonObject): Attempt {
  const error = objectOf(data.error);
  if (data.outcome !== "ok") return { ...now, ...broken(textOf(error.message)) };
  const text = typeof data.response === "string" ? data.response : JSON.stringify(data.response);
  const tokens = objectOf(data.usage).total_tokens;
  const ended = data.is_waiting ? "It waits for a decision." : "Done.";
  return {
    ...now,
    isRunning: false,
    text,
    answer: data.response,
    tokens: typeof tokens === "number" ? tokens : null,
    ended,
    state: data.state,
  };
}

/** What the other nodes gave, by their ids; the last of several times counts, and what a model called does not. */
function resultsOf(nodes: NodeTrace[], id: string): JsonObject {
  const others = nodes.filter((each) => each.id !== id && !each.call && each.result !== undefined);
  return Object.fromEntries(others.map((each) => [each.id, each.result as Json]));
}

function broken(problem: string): Partial<Attempt> {
  return { isRunning: false, problem };
}

function reasonOf(problem: unknown, signal: AbortSignal): string {
  if (signal.aborted) return "You stopped the run.";
  return problem instanceof Refusal ? `${problem.message} ${problem.fix}` : "The connection was cut.";
}
