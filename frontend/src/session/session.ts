// Between the document and the server: saving, deploying, drafts, and what was refused.

import { useEffect, useMemo, useRef, useState } from "react";
import { at, type JsonObject, listOf } from "../document/json";
import { merge } from "../document/merge";
import { change, descriptionIn, nameIn } from "../document/save-request";
import { unknownIn } from "../fields/groups-field";
import { type Api, type FlowAnswer, Refusal } from "../server/api";
import type { Group, Page, Saved, Standing } from "../server/page";
import type { Clash, Notice } from "../shell/notices";
import { toast } from "../shell/toast";
import type { Work } from "../state";
import { type Draft, Drafts } from "./drafts";

const PAUSE_MS = 300;

export type Session = ReturnType<typeof useSession>;

export function useSession(page: Page, api: Api, work: Omit<Work, "diagnostics">, groups: Group[] | null) {
  const { document, edit, reset } = work;
  const [saved, setSaved] = useState<Saved>(page.saved);
  const [standing, setStanding] = useState<Standing>(page.standing);
  const [notice, setNotice] = useState<Notice | null>(null);
  const [clash, setClash] = useState<Clash | null>(null);
  const [nameError, setNameError] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [askedOn, setAskedOn] = useState<JsonObject | null>(null);
  const [forecast, setForecast] = useState("");
  const [questions, setQuestions] = useState<string[] | null>(null);
  const drafts = useDrafts(page, saved, document, edit, setSaved, !!clash);

  const pending = useMemo(() => change(saved.content, document), [saved, document]);
  const isUnsaved = pending !== null;

  const tell = (headline: string, problem: unknown) => {
    if (!(problem instanceof Refusal)) throw problem;
    const problems = problem.problems.map((each) => each.message).filter((each) => each !== problem.message);
    setNotice({
      headline,
      advice: [problem.message, problem.fix].filter(Boolean).join(" "),
      problems,
      isAboutChecks: problem.code === "compile_error",
    });
  };
  const takeSaved = async (answer: FlowAnswer) => {
    setSaved({ version: answer.version, by: "you", at: answer.updated_at, content: answer.content });
    setStanding(await api.standing().catch(() => standing));
  };
  const busily = async (work: () => Promise<void>) => {
    if (isBusy) return;
    setBusy(true);
    setNotice(null);
    await work().finally(() => setBusy(false));
  };

  const save = () =>
    busily(async () => {
      if (!pending) {
        toast("Nothing has changed");
        return;
      }
      const wrong = refusedHere(saved.content, document, groups);
      setNameError(wrong.name);
      if (wrong.all.length) {
        setNotice({
          headline: "Nothing was saved.",
          advice: "What you typed is still here. Look at what is marked.",
          problems: wrong.all,
        });
        return;
      }
      await send(pending, saved.version, clash ? clash.theirs : saved.content);
    });

  /** Save over `version`. What is saved is looked at before: a rename by somebody else moves no version on. */
  const send = async (told: JsonObject, version: string, base: JsonObject) => {
    try {
      const now = await api.read();
      const isTouched =
        ("name" in told && now.name !== nameIn(base)) ||
        ("description" in told && now.description !== descriptionIn(base));
      if (now.version !== version || isTouched) return await meet(now, base);
      const answer = await api.save({ ...told, base_version: version });
      setClash(null);
      await takeSaved(answer);
      toast(answer.version === version ? "Saved" : `Saved version ${answer.version}`);
    } catch (problem) {
      if (problem instanceof Refusal && problem.code === "stale_save")
        await api.read().then(
          (now) => meet(now, base),
          (again) => tell("Nothing was saved.", again),
        );
      else tell("Nothing was saved.", problem);
    }
  };

  /** Somebody else saved meanwhile: lay mine over theirs, and show where both changed the same. */
  const meet = async (now: FlowAnswer, base: JsonObject) => {
    const newest = await api.versions(1).catch(() => null);
    const by = newest?.items[0]?.created_by ?? "somebody else";
    const merged = merge(base, document, now.content);
    edit({ ...merged.document, id: now.content.id!, version: now.content.version! });
    setSaved({ version: now.version, by, at: now.updated_at, content: now.content });
    setStanding(await api.standing().catch(() => standing));
    if (!change(now.content, merged.document)) return toast("Somebody else saved the same meanwhile");
    const conflicts = merged.conflicts.filter(({ path }) => !["id", "version"].includes(path[0]!));
    setClash({ by, at: now.updated_at, version: now.version, theirs: now.content, base, conflicts });
  };

  const loadTheirs = () => {
    drafts.shelve();
    reset(saved.content);
    setClash(null);
  };

  const deploy = (agreed = false) =>
    busily(async () => {
      if (isUnsaved) return setAskedOn(document);
      try {
        setQuestions(null);
        const plan = await api.plan();
        if (!agreed && plan.questions.length) return setQuestions(plan.questions);
        toast(await api.deploy(saved.version));
        setStanding(await api.standing().catch(() => standing));
        await refreshBelow(page.urls.flow);
      } catch (problem) {
        setQuestions(null);
        tell("Nothing was deployed.", problem);
      }
    });

  const rolledBack = async (message: string) => {
    toast(message);
    setStanding(await api.standing().catch(() => standing));
    await refreshBelow(page.urls.flow);
  };

  const isDue = page.may_change && (standing.live !== saved.version || standing.has_drifted);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a forecast holds for what is saved and live now.
  useEffect(() => setForecast(""), [saved, standing]);
  /** Say what a deploy would change, to somebody who is about to press the button. */
  const foretell = () => {
    if (!isDue || isUnsaved || isBusy || forecast) return;
    const refused = (problem: unknown) =>
      problem instanceof Refusal && problem.code === "compile_error" ? "It would be refused: see the errors." : "";
    api.plan().then(
      (plan) => setForecast(plan.told),
      (problem) => setForecast(refused(problem)),
    );
  };

  useWarning(isUnsaved);
  return {
    saved,
    standing,
    notice,
    clash,
    nameError,
    isBusy,
    isAsked: askedOn === document,
    isUnsaved,
    questions,
    forecast,
    drafts,
    save,
    deploy,
    foretell,
    loadTheirs,
    rolledBack,
    tell,
    close: () => setNotice(null),
    decline: () => setQuestions(null),
  };
}

/** What the editor itself knows to be wrong, before the server is asked. */
function refusedHere(saved: JsonObject, document: JsonObject, groups: Group[] | null): { name: string; all: string[] } {
  const name = nameIn(document).trim() ? "" : "A flow needs a name.";
  const [flag, list] = [
    ["config", "publish_as_model"],
    ["config", "model_visibility_group_ids"],
  ];
  const touched =
    at(saved, flag!) !== at(document, flag!) ||
    JSON.stringify(at(saved, list!)) !== JSON.stringify(at(document, list!));
  const ids = listOf(at(document, list!)).filter((id): id is string => typeof id === "string");
  const unknown = at(document, flag!) === true && touched ? unknownIn(ids, groups) : [];
  return {
    name,
    all: [
      name,
      unknown.length
        ? `Visibility group IDs: ${unknown.join(", ")} ${unknown.length === 1 ? "does" : "do"} not exist.`
        : "",
    ].filter(Boolean),
  };
}

/** What the server draws beneath the editor: the published model and how to call it. */
async function refreshBelow(url: string): Promise<void> {
  const below = window.document.getElementById("below-editor");
  if (!below) return;
  const response = await fetch(url, { credentials: "same-origin" }).catch(() => null);
  if (!response?.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("below-editor");
  if (fresh) below.replaceChildren(...fresh.childNodes);
  below.dispatchEvent(new CustomEvent("refreshed", { bubbles: true }));
}

function useWarning(isUnsaved: boolean): void {
  useEffect(() => {
    if (!isUnsaved) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [isUnsaved]);
}

function useDrafts(
  page: Page,
  saved: Saved,
  document: JsonObject,
  edit: Work["edit"],
  setSaved: (saved: Saved) => void,
  isClash: boolean,
) {
  const drafts = useRef<Drafts>(null);
  drafts.current ??= new Drafts(page.user_id, page.flow_id);
  const [left, setLeft] = useState<Draft[]>(() => (page.may_change ? drafts.current!.left() : []));
  const [isFailing, setFailing] = useState(false);
  useEffect(() => {
    if (!page.may_change) return;
    const timer = setTimeout(() => {
      if (change(saved.content, document)) {
        setFailing(
          !drafts.current!.keep({
            baseVersion: saved.version,
            base: saved.content,
            document,
            at: new Date().toISOString(),
          }),
        );
      } else if (!isClash) {
        drafts.current!.drop();
        setFailing(false);
      }
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [page, saved, document, isClash]);
  const forget = (draft: Draft) => {
    drafts.current!.drop(draft.key);
    setLeft((all) => all.filter((each) => each !== draft));
  };
  return {
    left: left.filter((draft) => change(saved.content, draft.document)),
    isFailing,
    /** Go on with the draft from the version it is based on: if that is not the newest, Save will show both sides. */
    restore: (draft: Draft) => {
      edit(draft.document);
      if (draft.baseVersion !== saved.version) setSaved({ ...saved, version: draft.baseVersion, content: draft.base });
      forget(draft);
    },
    drop: forget,
    /** Keep what is on the canvas as a draft that is offered, and go on without it. */
    shelve: () => {
      drafts.current!.keep({ baseVersion: saved.version, base: saved.content, document, at: new Date().toISOString() });
      drafts.current!.shelve();
      setLeft(drafts.current!.left());
    },
  };
}
