// OpenAI's SDK for JavaScript: chats and responses, whole and streamed, with a tool.
import OpenAI from "openai";

const { API_KEY, BASE_URL, MODEL } = process.env;
const client = new OpenAI({ baseURL: BASE_URL, apiKey: API_KEY });
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const ran = [];

const first = await client.responses.create({
  model: MODEL,
  input: "How is Oslo?",
  tools: [{ type: "function", name: "weather", parameters, strict: false }],
});
const call = first.output.find((item) => item.type === "function_call");
ran.push(JSON.parse(call.arguments).city);
const result = { type: "function_call_output", call_id: call.call_id, output: "4 degrees" };
const last = await client.responses.create({ model: MODEL, input: [result], previous_response_id: first.id });
const text = last.output_text;

let streamed = "";
const events = await client.responses.create({ model: MODEL, input: "How is Oslo?", stream: true });
for await (const event of events) if (event.type === "response.output_text.delta") streamed += event.delta;
if (streamed !== text) throw new Error(`streamed ${streamed}, whole ${text}`);

let chatted = "";
const chunks = await client.chat.completions.create({
  model: MODEL,
  messages: [{ role: "user", content: "How is Oslo?" }],
  stream: true,
});
for await (const chunk of chunks) chatted += chunk.choices[0]?.delta?.content ?? "";
if (chatted !== text) throw new Error(`chatted ${chatted}, whole ${text}`);
console.log(JSON.stringify({ text, ran, formats: [] }));
