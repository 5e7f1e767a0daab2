// What a run or a test asks: a message, and behind a fold all that may come with one.

import { at, type Json, type JsonObject, put, textOf } from "../document/json";
import { PROPERTIES } from "../document/properties";
import { JsonField } from "../fields/json-field";
import { TextField } from "../fields/text-field";
import { useWork } from "../work";

const HISTORY_HELP = 'What was said before, as a list of messages, such as [{"role": "user", "content": "hi"}].';

type Props = { call: JsonObject; onChange: (call: JsonObject, field: string) => void };

export function CallFields({ call, onChange }: Props) {
  const set = (name: string) => (value: Json | undefined) =>
    onChange(put(call, [name], isEmpty(value) ? undefined : value), name);
  const hasInput = call.input !== undefined;
  return (
    <>
      {!hasInput && (
        <TextField
          label="Message"
          isLong
          value={textOf(call.message)}
          onChange={(message) => onChange({ ...call, message }, "message")}
        />
      )}
      <details className="more" open={hasInput || undefined}>
        <summary>More to send</summary>
        {hasInput ? (
          <JsonField
            label="Input"
            help="The whole input, as an invocation sends it."
            isObjectOnly
            value={call.input}
            onChange={set("input")}
          />
        ) : (
          <Conversation call={call} set={set} />
        )}
        <Memory call={call} set={set} />
        <button type="button" className="link" onClick={() => onChange(turned(call), "input")}>
          {hasInput ? "Send a message instead" : "Send a whole input instead"}
        </button>
      </details>
    </>
  );
}

type PartProps = { call: JsonObject; set: (name: string) => (value: Json | undefined) => void };

function Conversation({ call, set }: PartProps) {
  return (
    <>
      <JsonField label="History" help={HISTORY_HELP} value={call.messages} onChange={set("messages")} />
      <JsonField
        label="Parameters"
        help="Sampling fields of a chat, such as {&quot;temperature&quot;: 0}."
        isObjectOnly
        value={call.params}
        onChange={set("params")}
      />
    </>
  );
}

/** Where the flow keeps memory: whose it is, and what it begins with. */
function Memory({ call, set }: PartProps) {
  const { document } = useWork();
  const mode = at(document, PROPERTIES.instance_mode);
  const isEntity = mode === "entity";
  return (
    <>
      {(isEntity || call.entity_id !== undefined) && (
        <TextField label="Entity id" value={textOf(call.entity_id)} onChange={set("entity_id")} />
      )}
      {(isEntity || mode === "singleton" || call.state !== undefined) && (
        <JsonField
          label="Memory to begin with"
          help="Values of the flow’s variables by their names. No memory of a user is read or kept."
          isObjectOnly
          value={call.state}
          onChange={set("state")}
        />
      )}
    </>
  );
}

function isEmpty(value: Json | undefined): boolean {
  return value === "" || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
}

/** The same call with a message in place of an input, or the other way round. */
function turned({ message, messages, params, input, ...rest }: JsonObject): JsonObject {
  if (input !== undefined) return { ...rest, message: textOf(at(input, ["message"])) };
  return { ...rest, input: { message: textOf(message) } };
}
