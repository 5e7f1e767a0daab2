// Names for new nodes and edges.

/** The name itself, or with the first number behind it that no other has. */
export function unusedName(name: string, taken: Set<string>): string {
  if (!taken.has(name)) return name;
  const stem = name.replace(/[-_]\d+$/, "");
  let number = 2;
  while (taken.has(`${stem}_${number}`)) number += 1;
  return `${stem}_${number}`;
}
