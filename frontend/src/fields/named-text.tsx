// A text that may read names of the run: they are completed while one types, and listed below to be put in.

import {
  type ChangeEvent,
  createContext,
  type KeyboardEvent,
  type Ref,
  useContext,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import type { Language } from "../document/config-fields";
import type { ScopeName } from "../document/scope-names";
import { added, completed, matching } from "./completion";

const Names = createContext<ScopeName[]>([]);
export const NamesProvider = Names.Provider;

type Box = HTMLInputElement | HTMLTextAreaElement;
type Props = {
  value: string;
  onChange: (value: string) => void;
  language: Language;
  isLong?: boolean;
  rows?: number;
  /** Whether all names are listed below: a field does, a row of many does not. */
  hasList?: boolean;
  attributes: Record<string, unknown>;
};

export function NamedText({ value, onChange, language, isLong, rows, hasList, attributes }: Props) {
  const names = useContext(Names);
  const {
    box,
    listId,
    shown,
    active,
    take,
    add,
    attributes: own,
  } = useCompletion({ value, onChange, language, names });
  const shared = { ...attributes, ...own, value };
  return (
    <div className="named">
      {isLong ? (
        <textarea {...shared} ref={box as Ref<HTMLTextAreaElement>} rows={rows} />
      ) : (
        <input {...shared} ref={box as Ref<HTMLInputElement>} type="text" />
      )}
      {shown.length > 0 && <Matches id={listId} names={shown} active={active} take={take} />}
      {hasList && names.length > 0 && attributes.disabled !== true && (
        <AllNames names={names} language={language} add={add} />
      )}
    </div>
  );
}

type Typing = Pick<Props, "value" | "onChange" | "language"> & { names: ScopeName[] };

/** The names that the word at the caret could become, and how one of them is chosen. */
function useCompletion({ value, onChange, language, names }: Typing) {
  const box = useRef<Box>(null);
  const listId = useId();
  const [caret, setCaret] = useState<number | null>(null);
  const [active, setActive] = useState(0);
  const shown = caret === null ? [] : matching(names, value, caret, language);
  const put = (next: { text: string; caret: number }) => {
    onChange(next.text);
    setCaret(null);
    requestAnimationFrame(() => {
      box.current?.focus();
      box.current?.setSelectionRange(next.caret, next.caret);
    });
  };
  const close = () => setCaret(null);
  const take = (name: string) => put(completed(value, caret!, name, language));
  const add = (name: string) => put(added(value, box.current?.selectionStart ?? value.length, name, language));
  return {
    ...{ box, listId, shown, active, take, add },
    attributes: {
      autoComplete: "off",
      "aria-autocomplete": "list" as const,
      "aria-controls": shown.length ? listId : undefined,
      "aria-activedescendant": shown.length ? `${listId}-${active}` : undefined,
      onBlur: close,
      onKeyDown: (event: KeyboardEvent) => chooseByKey(event, { shown, active, setActive, take, close }),
      onChange: ({ target }: ChangeEvent<Box>) => {
        onChange(target.value);
        setCaret(target.selectionStart);
        setActive(0);
      },
    },
  };
}

type Choice = {
  shown: ScopeName[];
  active: number;
  setActive: (active: number) => void;
  take: (name: string) => void;
  close: () => void;
};

function chooseByKey(event: KeyboardEvent, { shown, active, setActive, take, close }: Choice) {
  if (!shown.length || event.nativeEvent.isComposing) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) setActive((active + step + shown.length) % shown.length);
  else if (event.key === "Enter" || event.key === "Tab") take(shown[active]!.name);
  else if (event.key === "Escape") close();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

type MatchesProps = { id: string; names: ScopeName[]; active: number; take: (name: string) => void };

function Matches({ id, names, active, take }: MatchesProps) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.scrollIntoView({ block: "nearest" });
  }, []);
  return (
    <div className="matches" role="listbox" id={id} aria-label="Names" ref={list}>
      {names.map((each, index) => (
        // The keyboard chooses from the text itself; the mouse must not take the focus away from it.
        <div
          key={each.name}
          id={`${id}-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === active}
          onMouseDown={(event) => {
            event.preventDefault();
            take(each.name);
          }}
        >
          <code>{each.name}</code> <span className="muted">{hintOf(each)}</span>
        </div>
      ))}
    </div>
  );
}

type AllProps = { names: ScopeName[]; language: Language; add: (name: string) => void };

function AllNames({ names, language, add }: AllProps) {
  return (
    <details className="names">
      <summary>Names that can stand here</summary>
      <ul>
        {names.map((each) => (
          <li key={each.name}>
            <button type="button" className="link" onClick={() => add(each.name)}>
              <code>{each.name}</code>
            </button>{" "}
            <span className="muted small">{hintOf(each)}</span>
          </li>
        ))}
      </ul>
      {language === "expression" && <ExpressionHelp />}
    </details>
  );
}

const EXPRESSIONS: [string, string][] = [
  ['message.contains("refund")', "a text has a part"],
  ["size(messages) > 4", "how long a text or a list is"],
  ['state.plan == "gold" && state.count < 3', "and; || is or, ! is not"],
  ["fetch.status in [200, 201]", "one of several"],
  ["has(fetch.json.total) ? fetch.json.total : 0", "one or the other"],
  ["fetch.json.orders.filter(order, order.open)", "those of a list that fit; map makes others of them"],
  ['message.matches("^[0-9]{6}$")', "a regular expression"],
];

function ExpressionHelp() {
  return (
    <dl className="expression-help">
      {EXPRESSIONS.map(([source, about]) => (
        <div key={source}>
          <dt>
            <code>{source}</code>
          </dt>
          <dd className="muted small">{about}</dd>
        </div>
      ))}
    </dl>
  );
}

const LONGEST_SAMPLE = 60;

function hintOf({ about, sample }: ScopeName): string {
  if (sample === undefined) return about;
  const text = typeof sample === "string" ? sample : JSON.stringify(sample);
  return `${about}, such as ${text.length > LONGEST_SAMPLE ? `${text.slice(0, LONGEST_SAMPLE)}…` : text}`;
}
