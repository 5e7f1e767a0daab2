// What the editor asks of the server. The casts are the contract of the REST API: the server's own tests keep it.

import { type JsonObject, listOf, objectOf, textOf } from "../document/json";
import { eventsOf, type ServerEvent } from "./events";
import type {
  Deployment,
  DeployState,
  Diagnostic,
  Group,
  Page,
  Plan,
  Saved,
  SavedVersion,
  TriedTest,
  VersionLabel,
} from "./page";
import { open, refusal, request } from "./request";

/** What a save made of the flow. Without a `message` nothing was saved, because somebody else did so meanwhile. */
export type SaveAnswer = { message: string; saved: Saved; state: DeployState };

export type VersionPage = { items: SavedVersion[]; total: number };

export class Api {
  private readonly flow: string;

  constructor(private readonly page: Page) {
    this.flow = `/api/v1/flows/${encodeURIComponent(page.flow_id)}`;
  }

  /** Save what differs from `base`; a refusal says which fields are wrong. */
  async save(changes: JsonObject, base: Saved): Promise<SaveAnswer> {
    const body = { ...changes, base_version: base.version, base_time: base.base_time };
    return (await this.post(this.page.urls.save, body)) as unknown as SaveAnswer;
  }

  /** Deploy the saved version; gives the sentence to show. A refusal has the tests that failed before it. */
  async deploy(baseVersion: string): Promise<string> {
    // The plan has asked about memory already, and this is only sent once it was answered.
    return messageIn(await this.post(this.page.urls["go-live"], { base_version: baseVersion }));
  }

  /** What the compiler finds, and what the flow can do for its callers if it has no errors. */
  async validate(
    content: JsonObject,
    signal: AbortSignal,
  ): Promise<{ diagnostics: Diagnostic[]; able: string[] | null }> {
    const answer = objectOf(await request("/api/v1/flows/validate", { method: "POST", body: { content }, signal }));
    const diagnostics = answer.diagnostics as unknown as Diagnostic[];
    return { diagnostics, able: answer.valid ? (answer.capabilities as string[]) : null };
  }

  /** Try a document; gives what happens as it happens, `run.finished` at last. */
  async *run(call: JsonObject, signal: AbortSignal): AsyncGenerator<ServerEvent> {
    const body = { ...call, stream: true };
    yield* eventsOf(await open(`${this.flow}/run`, { method: "POST", body, signal }));
  }

  /** Run the tests of a document, or those with these names; where one fails the live version is asked, too. */
  async runTests(content: JsonObject, names?: string[]): Promise<TriedTest[]> {
    const body = { content, compare: true, ...(names && { names }) };
    return objectOf(await request(`${this.flow}/run-tests`, { method: "POST", body })).tests as unknown as TriedTest[];
  }

  async versions(limit = 50, offset = 0): Promise<VersionPage> {
    return (await request(`${this.flow}/versions?limit=${limit}&offset=${offset}`)) as unknown as VersionPage;
  }

  /** The document of an earlier version. */
  async version(number: string): Promise<JsonObject> {
    return objectOf(objectOf(await request(`${this.flow}/versions/${encodeURIComponent(number)}`)).content);
  }

  async deployments(): Promise<Deployment[]> {
    return objectOf(await request(`${this.flow}/deployments?limit=200`)).items as unknown as Deployment[];
  }

  /** All groups of the tenant. */
  async groups(): Promise<Group[]> {
    const groups: Group[] = [];
    for (let total = 1; groups.length < total; ) {
      const answer = objectOf(await request(`/api/v1/groups?limit=200&offset=${groups.length}`));
      const items = answer.items as unknown as Group[];
      groups.push(...items);
      total = items.length ? (answer.total as number) : 0;
    }
    return groups;
  }

  /** The refs of the model providers that the tenant may use. */
  async providers(): Promise<string[]> {
    const answer = objectOf(await request("/api/v1/providers?limit=200"));
    const own = listOf(answer.items).map((item) => textOf(objectOf(item).ref));
    return [...new Set([...own, ...listOf(answer.operator_refs).map(textOf)])];
  }

  /** The models that a provider's server lists; none where it does not say. */
  async models(ref: string): Promise<string[]> {
    return listOf(objectOf(await request(`/api/v1/providers/${encodeURIComponent(ref)}/models`)).ids).map(textOf);
  }

  async deployState(): Promise<DeployState> {
    return (await request(this.page.urls.state)) as unknown as DeployState;
  }

  /** What a deploy of the saved version would change; a refusal when it would be refused. */
  async plan(): Promise<Plan> {
    return (await this.post(this.page.urls.plan)) as unknown as Plan;
  }

  /** What a roll-back to an earlier Core version would do, in sentences. */
  async foreseeRollback(version: number): Promise<string[]> {
    return (await this.post(this.page.urls.rollback, { version })).questions as string[];
  }

  /** Make an earlier Core version live again, now that somebody has agreed to it; gives the sentence to show. */
  async rollback(version: number): Promise<string> {
    return messageIn(await this.post(this.page.urls.rollback, { version, accept_memory_change: true }));
  }

  /** Give a saved version a name and a note. */
  async label(version: string, label: VersionLabel): Promise<void> {
    await request(`${this.flow}/versions/${encodeURIComponent(version)}`, { method: "PUT", body: label });
  }

  /** Ask one of the page's own URLs, which may answer that it refuses. */
  private async post(url: string, body: JsonObject = {}): Promise<JsonObject> {
    const answer = objectOf(await request(url, { method: "POST", body }));
    if (answer.refused) throw refusal(objectOf(answer.refused));
    return answer;
  }
}

function messageIn(answer: unknown): string {
  return textOf(objectOf(answer).message);
}
