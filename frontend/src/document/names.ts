// Names for nodes and edges: which are taken, and which nobody may take.

// As scaicore/language/names.py has them: a node of such a name would hide what every run has under it.
const RESERVED = new Set(
  "message messages params input output state entity_id decision item response true false null in".split(" "),
);

/** The name itself, or with the first number behind it that no other has. */
export function unusedName(name: string, taken: Set<string>): string {
  if (!taken.has(name) && !RESERVED.has(name)) return name;
  const stem = name.replace(/[-_]\d+$/, "");
  let number = 2;
  while (taken.has(`${stem}_${number}`)) number += 1;
  return `${stem}_${number}`;
}

/** Whether the runtime itself uses the name. */
export function isReserved(name: string): boolean {
  return RESERVED.has(name);
}

/** Whether every character of the name can be seen. */
export function isPrintable(name: string): boolean {
  return !/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(name);
}
