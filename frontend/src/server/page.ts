// What the server gives the editor: the data in the page, and the answers of its URLs.

import { type Json, type JsonObject, parse } from "../document/json";
import type { PropertyName } from "../document/properties";

export type Kind = {
  kind: string;
  label: string;
  category: string;
  summary: string;
  config_schema: Json;
  inputs?: string[];
  outputs?: string[];
};

/** What is saved; `base_time` goes back with the next save, which shows the server what it is based on. */
export type Saved = { version: string; base_time: string; by: string; at: string; content: JsonObject };

export type DeployState = {
  saved: string;
  live: string | null;
  core_id: string | null;
  core_version: number | null;
  is_behind: boolean;
  has_drifted: boolean;
  published_slug: string | null;
  visibility: string | null;
  group_ids: string[];
  audience: number | null;
  warning: string;
};

/** How a flow property is shown, here and in the form that stands in for the canvas without scripts. */
export type Property = { label: string; help: string; choices: [string, string][] };

export type Page = {
  flow_id: string;
  saved: Saved;
  state: DeployState;
  kinds: Kind[];
  unavailable: Record<string, string>;
  variable_types: string[];
  /** The slug is a property only until the first deploy. */
  properties: Record<Exclude<PropertyName, "slug">, Property> & { slug?: Property };
  capabilities: { name: string; label: string; is_declared: boolean }[];
  group_separators: string;
  user_id: string;
  may_change: boolean;
  trace_days: number;
  /** What an earlier run was asked, to be asked again. */
  again: JsonObject | null;
  note: string;
  urls: {
    flow: string;
    playground: string;
    state: string;
    save: string;
    plan: string;
    "go-live": string;
    rollback: string;
  };
};

export type Diagnostic = {
  severity: "error" | "warning";
  code: string;
  message: string;
  path: string;
  node_id: string | null;
  edge_id: string | null;
};

/** How a test of the flow went; the answers are null where there were none. */
export type TriedTest = {
  name: string;
  passed: boolean;
  message: string;
  expect: JsonObject;
  answer: string | null;
  live_answer: string | null;
};

export type Group = { id: string; name: string; user_count: number; group_count: number };
export type VersionLabel = { name: string; note: string };
export type SavedVersion = VersionLabel & { version: string; created_at: string; created_by: string };
export type Deployment = {
  core_version: number;
  flow_version: string;
  created_at: string;
  created_by: string;
  live: boolean;
};
export type Plan = { questions: string[]; summary: string };

/** The data that the template wrote into the editor's element. */
export function pageData(root: HTMLElement): Page {
  return parse(root.dataset.page!) as unknown as Page;
}
