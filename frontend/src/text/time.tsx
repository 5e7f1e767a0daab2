// A moment in the reader's own time zone, which is named, and in their own format.

const format = new Intl.DateTimeFormat(undefined, {
  year: "numeric",
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  timeZoneName: "short",
});
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
