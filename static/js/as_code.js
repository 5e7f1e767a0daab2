// A chat request as people paste it elsewhere.

/** The request as a curl command. */
export function asCurl(baseUrl, body) {
  const json = JSON.stringify(body, null, 2).replaceAll("\n", "\n  ").replaceAll("'", "'\\''");
  return `curl -N -X POST "${baseUrl}/chat/completions" \\
  -H "Authorization: Bearer \${SCAIGRID_TOKEN}" \\
  -H "Content-Type: application/json" \\
  -d '${json}'`;
}

/** The request by OpenAI's SDK for Python. */
export function asPython(baseUrl, body) {
  const { stream, stream_options: _, entity_id: entity, ...rest } = body;
  const given = Object.entries(rest).map(([name, value]) => `    ${name}=${literal(value)},`);
  if (entity) given.push(`    extra_body={"entity_id": ${literal(entity)}},`);
  return `import os

from openai import OpenAI

client = OpenAI(base_url="${baseUrl}", api_key=os.environ["SCAIGRID_TOKEN"])

stream = client.chat.completions.create(
${given.join("\n")}
    stream=True,
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)`;
}

/** JSON of texts, numbers, lists and objects reads the same in Python. */
function literal(value) {
  if (!Array.isArray(value)) return JSON.stringify(value).replaceAll('":"', '": "').replaceAll('","', '", "');
  const short = `[${value.map(literal).join(", ")}]`;
  return short.length < 80 ? short : `[\n${value.map((one) => `        ${literal(one)},`).join("\n")}\n    ]`;
}
