// Keeps what is not saved as a draft in this browser, and offers the drafts that were left behind.

import { useEffect, useRef, useState } from "react";
import type { JsonObject } from "../document/json";
import { saveRequest } from "../document/save-request";
import type { Page } from "../server/page";
import type { Work } from "../work";
import { type Draft, DraftStore } from "./draft-store";
import type { SavedFlow } from "./saved-flow";

const PAUSE_MS = 300;

/** While the changes of two people clash, this editor's draft stays even if the two come to the same. */
export function useDrafts({ page, document, edit }: Work, { saved, setSaved }: SavedFlow, isClash: boolean) {
  const store = useDraftStore(page);
  const [left, setLeft] = useState<Draft[]>(() => (page.may_change ? store.left() : []));
  const [isFailing, setFailing] = useState(false);
  useEffect(() => {
    if (!page.may_change) return;
    const timer = setTimeout(() => {
      if (saveRequest(saved.content, document)) setFailing(!store.keep(draftOf(saved, document)));
      else if (!isClash) {
        store.drop();
        setFailing(false);
      }
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [page, store, saved, document, isClash]);
  const drop = (draft: Draft) => {
    store.drop(draft.key);
    setLeft((all) => all.filter((each) => each !== draft));
  };
  return {
    left: left.filter((draft) => saveRequest(saved.content, draft.document)),
    isFailing,
    drop,
    /** Go on with the draft from the version it is based on: if that is not the newest, Save will show both sides. */
    restore: (draft: Draft) => {
      edit(draft.document);
      if (draft.baseVersion !== saved.version) setSaved({ ...saved, version: draft.baseVersion, content: draft.base });
      drop(draft);
    },
    /** Keep what is on the canvas as a draft that is offered, and go on without it. */
    shelve: () => {
      store.keep(draftOf(saved, document));
      store.shelve();
      setLeft(store.left());
    },
  };
}

function useDraftStore(page: Page): DraftStore {
  const store = useRef<DraftStore>(null);
  store.current ??= new DraftStore(page.user_id, page.flow_id);
  return store.current;
}

function draftOf(saved: SavedFlow["saved"], document: JsonObject): Omit<Draft, "key"> {
  return { baseVersion: saved.version, base: saved.content, document, at: new Date().toISOString() };
}
