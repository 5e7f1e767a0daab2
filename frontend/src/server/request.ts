// One request to the server, signed by the session. A refusal is an exception that carries what the server said.

import { type Json, type JsonObject, objectOf, parse, textOf } from "../document/json";

export class Refusal extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly fix: string,
    readonly detail: JsonObject = {},
  ) {
    super(message);
  }

  get problems(): { field: string; message: string }[] {
    return (this.detail.details ?? []) as { field: string; message: string }[];
  }

  /** What is wrong with one field. */
  about(field: string): string {
    return this.problems.find((problem) => problem.field === field)?.message ?? "";
  }
}

type Options = { method?: string; body?: JsonObject; signal?: AbortSignal };

/** The JSON of the answer, null when it is empty or something else; a `Refusal` when the server says no. */
export async function request(url: string, options: Options = {}): Promise<Json> {
  return answerOf(await send(url, options));
}

/** The response itself, to be read as it comes; a `Refusal` when the server says no. */
export async function open(url: string, options: Options = {}): Promise<Response> {
  const response = await send(url, options);
  if (!response.ok) await answerOf(response);
  return response;
}

async function answerOf(response: Response): Promise<Json> {
  const text = await response.text();
  const answer = text && (response.headers.get("Content-Type") ?? "").includes("json") ? parse(text) : null;
  if (response.ok) return answer;
  throw response.status === 401 ? signedOut() : refusal(objectOf(objectOf(answer).detail));
}

async function send(url: string, { method = "GET", body, signal }: Options): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (body) headers["Content-Type"] = "application/json";
  if (method !== "GET") headers["X-CSRFToken"] = csrfToken();
  const payload = body && JSON.stringify(body);
  try {
    return await fetch(url, { method, headers, body: payload, signal, redirect: "error", credentials: "same-origin" });
  } catch (problem) {
    throw signal?.aborted ? problem : unreachable();
  }
}

function unreachable(): Refusal {
  const fix = "Nothing is lost: your changes are in this page. Try again.";
  return new Refusal("unreachable", "The server could not be reached.", fix);
}

function signedOut(): Refusal {
  return new Refusal("signed_out", "You are signed out.", "Sign in in another tab, then try again here.");
}

/** The refusal that the server's `detail` describes. */
export function refusal(detail: JsonObject): Refusal {
  const message = textOf(detail.message) || "The server could not do it.";
  return new Refusal(textOf(detail.error), message, textOf(detail.fix), detail);
}

/** The token that goes with every change. The page names its cookie, which is another one in each installation. */
function csrfToken(): string {
  const name = document.querySelector<HTMLElement>("[data-csrf-cookie]")?.dataset.csrfCookie ?? "csrftoken";
  const found = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
  return found?.slice(name.length + 1) ?? "";
}
