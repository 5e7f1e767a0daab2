// A moment in the reader's own time zone and format.

const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

export function Time({ at }: { at: string }) {
  const moment = new Date(at);
  if (Number.isNaN(moment.valueOf())) return null;
  return (
    <time dateTime={at} title={exact.format(moment)}>
      {format.format(moment)}
    </time>
  );
}
