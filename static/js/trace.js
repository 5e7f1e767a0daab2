// Reads the trace of a run, which the server writes after the answer.

const WAITS_MS = [50, 150, 300, 500, 1000];

/** The run of this request, or null when it is not there in time. `key` gives the API key. */
export async function traceOf(url, requestId, key) {
  for (const wait of WAITS_MS) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    // Asking the list first avoids a 404, which browsers would log in the console.
    const { items } = await read(`${url}?limit=50`, await key());
    if (items.some((run) => run.request_id === requestId)) return read(`${url}/${requestId}`, await key());
  }
  return null;
}

async function read(url, key) {
  const response = await fetch(url, { credentials: "omit", headers: { authorization: `Bearer ${key}` } });
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  return (await response.json()).data;
}
