// A small client of `/v1/chat/completions`: streams an answer, or throws a `Refused` that says what went wrong.

const ADVICE = {
  model_access_denied: "You are not in a group that may call this model. Request access on its page.",
  model_not_found: "This model does not exist any more. It may have been un-published.",
  entity_busy: "Another call is talking to this entity. Try again in a moment.",
  core_error: "The flow failed while it ran. Nothing was remembered of this call.",
  core_timeout: "The flow took too long and was stopped. Nothing was remembered of this call.",
  rate_limit_exceeded: "Too many calls at once. Wait a moment and send again.",
  draining: "The server is restarting. Send again in a moment.",
  database_unavailable: "The server cannot reach its database. Send again in a moment.",
};

/** The server's no, in words. */
export class Refused extends Error {
  constructor(status, error) {
    const message = error?.message ?? `The server answered ${status} without a reason.`;
    super(ADVICE[error?.code] ?? message);
    this.status = status;
    this.code = error?.code ?? "";
  }
}

/** The events of one answer: `{requestId}`, pieces of `{thought}` and `{text}`, `{usage}` if counted. Only a throw ends
 * them early. */
export async function* ask(url, key, body, signal) {
  const response = await fetch(url, {
    method: "POST",
    credentials: "omit",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
    signal,
  });
  yield { requestId: response.headers.get("x-request-id") };
  if (!response.ok) throw new Refused(response.status, await reason(response));
  let isFinished = false;
  for await (const line of lines(response.body)) {
    if (!line.startsWith("data: ") || line === "data: [DONE]") continue;
    const chunk = JSON.parse(line.slice(6));
    if (chunk.error) throw new Refused(200, chunk.error);
    const [choice] = chunk.choices;
    if (choice?.delta.reasoning_content) yield { thought: choice.delta.reasoning_content };
    if (choice?.delta.content) yield { text: choice.delta.content };
    if (choice?.finish_reason) isFinished = true;
    if (chunk.usage) yield { usage: chunk.usage };
  }
  if (!isFinished) throw new Refused(200, { message: "The answer broke off before its end." });
}

async function reason(response) {
  try {
    return (await response.json()).error;
  } catch {
    return null;
  }
}

async function* lines(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    yield* parts;
  }
}
