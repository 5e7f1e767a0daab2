// The tenant's groups and model providers; who may not read them does without.

import { useEffect, useMemo, useRef, useState } from "react";
import { at, type JsonObject, listOf, objectOf, textOf } from "../document/json";
import type { Api } from "../server/api";
import type { Group, Page } from "../server/page";

/** `models`: by provider, what its server lists; nothing is known of one that is not there. */
export type Tenant = { groups: Group[] | null; providers: string[]; models: Record<string, string[]> };

export function useTenant(api: Api, page: Page, document: JsonObject): Tenant {
  const [groups, setGroups] = useState<Group[] | null>(null);
  const [providers, setProviders] = useState<string[]>([]);
  useEffect(() => {
    if (!page.may_change) return;
    api.groups().then(setGroups, () => {});
    api.providers().then(setProviders, () => {});
  }, [api, page]);
  return { groups, providers, models: useModels(api, document, providers) };
}

/** Each provider that the flow names is asked once. */
function useModels(api: Api, document: JsonObject, providers: string[]): Record<string, string[]> {
  const [models, setModels] = useState<Record<string, string[]>>({});
  const asked = useRef(new Set<string>());
  const named = useMemo(() => {
    const roles = listOf(at(document, ["config", "core_identity", "models"])).map(objectOf);
    return roles.map((role) => textOf(role.ref)).filter((ref) => providers.includes(ref));
  }, [document, providers]);
  useEffect(() => {
    for (const ref of named.filter((each) => !asked.current.has(each))) {
      asked.current.add(ref);
      api.models(ref).then(
        (listed) => listed.length > 0 && setModels((known) => ({ ...known, [ref]: listed })),
        () => {},
      );
    }
  }, [api, named]);
  return models;
}
