// The tenant's groups and model providers; who may not read them does without.

import { useEffect, useState } from "react";
import type { Api } from "../server/api";
import type { Group, Page } from "../server/page";

export function useTenant(api: Api, page: Page) {
  const [groups, setGroups] = useState<Group[] | null>(null);
  const [providers, setProviders] = useState<string[]>([]);
  useEffect(() => {
    if (!page.may_change) return;
    api.groups().then(setGroups, () => {});
    api.providers().then(setProviders, () => {});
  }, [api, page]);
  return { groups, providers };
}
