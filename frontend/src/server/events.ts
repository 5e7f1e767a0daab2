// The server-sent events of a response, one after the other.

import { type JsonObject, objectOf, parse } from "../document/json";

export type ServerEvent = { name: string; data: JsonObject };

/** Reads until the response ends. Frames without an event, which only keep the connection open, are left out. */
export async function* eventsOf(response: Response): AsyncGenerator<ServerEvent> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const frames = (rest + value).split("\n\n");
    rest = frames.pop()!;
    for (const frame of frames) {
      const event = eventIn(frame);
      if (event) yield event;
    }
  }
}

function eventIn(frame: string): ServerEvent | null {
  const lines = frame.split("\n");
  const fieldIn = (field: string) => lines.find((line) => line.startsWith(`${field}: `))?.slice(field.length + 2);
  const [name, data] = [fieldIn("event"), fieldIn("data")];
  return name && data ? { name, data: objectOf(parse(data)) } : null;
}
