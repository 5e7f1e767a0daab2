// Sentences of the server, which mark code by backticks.

export function Prose({ text }: { text: string }) {
  return text.split(/`([^`]+)`/).map((part, place) => (place % 2 ? <code key={place}>{part}</code> : part));
}
