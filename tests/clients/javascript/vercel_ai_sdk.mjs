// Vercel's AI SDK: a tool of its own, whole and streamed, and an answer in a format.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, Output, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const { API_KEY, BASE_URL, MODEL } = process.env;
const provider = createOpenAICompatible({
  name: "scaigrid",
  baseURL: BASE_URL,
  apiKey: API_KEY,
  supportsStructuredOutputs: true,
});
const model = provider(MODEL);
const ran = [];
const weather = tool({
  description: "The weather of a city.",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => {
    ran.push(city);
    return "4 degrees";
  },
});
const asked = { model, tools: { weather }, stopWhen: stepCountIs(3), prompt: "How is Oslo?" };
const { text } = await generateText(asked);
const streamed = streamText(asked);
let shown = "";
for await (const piece of streamed.textStream) shown += piece;
if (shown !== text) throw new Error(`streamed ${shown}, whole ${text}`);
const city = z.object({ name: z.string(), people: z.number().int() });
const { output } = await generateText({ model, output: Output.object({ schema: city }), prompt: "Which?" });
console.log(JSON.stringify({ text, ran, formats: [output] }));
