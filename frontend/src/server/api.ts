// Requests to the server, signed by the session. A refusal is an exception that carries what the server said.

import { type Json, type JsonObject, objectOf, parse, textOf } from "../document/json";
import type { Deployed, Diagnostic, Group, Page, Plan, SavedVersion, Standing } from "./page";

export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly fix: string,
    readonly told: JsonObject,
  ) {
    super(message);
  }

  get problems(): { field: string; message: string }[] {
    return (this.told.details ?? []) as { field: string; message: string }[];
  }

  get diagnostics(): Diagnostic[] {
    return (this.told.diagnostics ?? []) as unknown as Diagnostic[];
  }
}

type Sent = { method?: string; body?: JsonObject; signal?: AbortSignal };

async function ask(url: string, { method = "GET", body, signal }: Sent = {}): Promise<Json> {
  let response: Response;
  const headers: Record<string, string> = { Accept: "application/json" };
  if (body) headers["Content-Type"] = "application/json";
  if (method !== "GET") headers["X-CSRFToken"] = cookie("csrftoken");
  try {
    response = await fetch(url, {
      method,
      headers,
      body: body && JSON.stringify(body),
      signal,
      redirect: "error",
      credentials: "same-origin",
    });
  } catch (problem) {
    if (signal?.aborted) throw problem;
    throw new Refusal(
      0,
      "unreachable",
      "The server could not be reached.",
      "Nothing is lost: your changes are in this page. Try again.",
      {},
    );
  }
  const text = await response.text();
  const told = text && (response.headers.get("Content-Type") ?? "").includes("json") ? parse(text) : null;
  if (response.ok) return told;
  throw refusal(response.status, objectOf(objectOf(told).detail));
}

function refusal(status: number, detail: JsonObject): Refusal {
  if (status === 401)
    return new Refusal(status, "signed_out", "You are signed out.", "Sign in in another tab, then try again here.", {});
  return new Refusal(
    status,
    textOf(detail.error),
    textOf(detail.message) || "The server could not do it.",
    textOf(detail.fix),
    detail,
  );
}

function cookie(name: string): string {
  return (
    document.cookie
      .split("; ")
      .find((part) => part.startsWith(`${name}=`))
      ?.slice(name.length + 1) ?? ""
  );
}

export type FlowAnswer = {
  name: string;
  description: string;
  version: string;
  updated_at: string;
  content: JsonObject;
};

export class Api {
  readonly flow: string;

  constructor(private readonly page: Page) {
    this.flow = `/api/v1/flows/${encodeURIComponent(page.flow_id)}`;
  }

  async read(): Promise<FlowAnswer> {
    return (await ask(this.flow)) as unknown as FlowAnswer;
  }

  async save(change: JsonObject): Promise<FlowAnswer> {
    return (await ask(this.flow, { method: "PUT", body: change })) as unknown as FlowAnswer;
  }

  async deploy(baseVersion: string): Promise<string> {
    return textOf(
      objectOf(
        await ask(`${this.flow}/deploy`, {
          method: "POST",
          // The plan asked already, and this is only sent once it was answered.
          body: { base_version: baseVersion, accept_memory_change: true },
        }),
      ).message,
    );
  }

  async validate(content: JsonObject, signal: AbortSignal): Promise<Diagnostic[]> {
    const told = objectOf(await ask("/api/v1/flows/validate", { method: "POST", body: { content }, signal }));
    return told.diagnostics as unknown as Diagnostic[];
  }

  async versions(limit = 50, offset = 0): Promise<{ items: SavedVersion[]; total: number }> {
    return (await ask(`${this.flow}/versions?limit=${limit}&offset=${offset}`)) as never;
  }

  async version(number: string): Promise<JsonObject> {
    return objectOf(objectOf(await ask(`${this.flow}/versions/${encodeURIComponent(number)}`)).content);
  }

  async deployments(): Promise<Deployed[]> {
    return objectOf(await ask(`${this.flow}/deployments?limit=200`)).items as unknown as Deployed[];
  }

  /** All groups of the tenant. */
  async groups(): Promise<Group[]> {
    const groups: Group[] = [];
    for (let total = 1; groups.length < total; ) {
      const told = objectOf(await ask(`/api/v1/groups?limit=200&offset=${groups.length}`));
      const items = told.items as unknown as Group[];
      groups.push(...items);
      total = items.length ? (told.total as number) : 0;
    }
    return groups;
  }

  /** The names of the model providers that there are. */
  async providers(): Promise<string[]> {
    const items = objectOf(await ask("/api/v1/providers?limit=200")).items;
    return Array.isArray(items) ? items.map((item) => textOf(objectOf(item).ref)) : [];
  }

  async standing(): Promise<Standing> {
    return (await ask(this.page.urls.standing)) as unknown as Standing;
  }

  /** What a deploy of the saved version would change; a refusal when it would be refused. */
  async plan(): Promise<Plan> {
    const told = objectOf(await ask(this.page.urls.plan, { method: "POST", body: {} }));
    if (told.refused) throw refusal(200, objectOf(told.refused));
    return told as unknown as Plan;
  }

  async rollback(version: number): Promise<string> {
    return textOf(objectOf(await ask(this.page.urls.rollback, { method: "POST", body: { version } })).message);
  }
}
