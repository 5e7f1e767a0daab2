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
    /** Go on with the draft from what it is based on: if somebody has saved since, Save will show both sides. */
    restore: (draft: Draft) => {
      edit(draft.document);
      if (draft.baseTime !== saved.base_time) setSaved(savedThen(saved, draft));
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
  const { version: baseVersion, base_time: baseTime, content: base } = saved;
  return { baseVersion, baseTime, base, document, at: new Date().toISOString() };
}

/** What was saved when the draft was begun. */
function savedThen(saved: SavedFlow["saved"], { baseVersion, baseTime, base }: Draft): SavedFlow["saved"] {
  return { ...saved, version: baseVersion, base_time: baseTime || saved.base_time, content: base };
}
