// What the server gives the editor: the data in the page, and the answers of its URLs.

import { type Json, type JsonObject, parse } from "../document/json";

export type Kind = {
  kind: string;
  label: string;
  category: string;
  summary: string;
  config_schema: Json;
  inputs?: string[];
  outputs?: string[];
};

export type Saved = { version: string; by: string; at: string; content: JsonObject };

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
  lost_groups: string[];
};

export type Page = {
  flow_id: string;
  saved: Saved;
  standing: DeployState;
  kinds: Kind[];
  unavailable: Record<string, string>;
  variable_types: string[];
  user_id: string;
  tenant_name: string;
  may_change: boolean;
  admins: string[];
  urls: { flow: string; standing: string; plan: string; rollback: string };
};

export type Diagnostic = {
  severity: "error" | "warning";
  code: string;
  message: string;
  path: string;
  node_id: string | null;
  edge_id: string | null;
};

export type Group = { id: string; name: string; user_count: number; group_count: number };
export type SavedVersion = { version: string; created_at: string; created_by: string };
export type Deployment = {
  core_version: number;
  flow_version: string;
  created_at: string;
  created_by: string;
  live: boolean;
};
export type Plan = { questions: string[]; told: string };

/** The data that the template wrote into the editor's element. */
export function pageData(root: HTMLElement): Page {
  return parse(root.dataset.page!) as unknown as Page;
}
