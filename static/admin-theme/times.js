// The admin writes times in UTC; staff see them in their own time zone, which is named, and the UTC one as a tooltip.

const WRITTEN = /\b(\d{4}-\d\d-\d\d) (\d\d:\d\d) UTC\b/;
const format = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short" });
const zone = new Intl.DateTimeFormat(undefined, { timeZoneName: "short" });

const zoneAt = (moment) => zone.formatToParts(moment).find(({ type }) => type === "timeZoneName").value;

const localise = (text) => {
  const found = WRITTEN.exec(text.data);
  if (!found) return;
  const moment = new Date(`${found[1]}T${found[2]}Z`);
  const time = document.createElement("time");
  time.dateTime = moment.toISOString();
  time.title = found[0];
  time.textContent = `${format.format(moment)} ${zoneAt(moment)}`;
  const rest = text.splitText(found.index);
  rest.data = rest.data.slice(found[0].length);
  rest.before(time);
  localise(rest);
};

const content = document.getElementById("content");
const texts = document.createTreeWalker(content ?? document.createElement("div"), NodeFilter.SHOW_TEXT);
const all = [];
while (texts.nextNode()) {
  // What can be typed or copied stays as it is stored.
  if (!texts.currentNode.parentElement.closest("textarea, pre, script, option")) all.push(texts.currentNode);
}
all.forEach(localise);
