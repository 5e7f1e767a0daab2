// Somebody else has saved meanwhile: what they changed, where both changed the same, and the two ways on.

import type { MouseEvent } from "react";
import { diff, shown } from "../document/diff";
import type { Difference } from "../document/merge";
import { propertyAt } from "../document/properties";
import type { Clash } from "../session/saving";
import { Time } from "../text/time";
import { useWork } from "../work";
import { Alert } from "./alert";

export function ClashNotice({ clash, keep, load }: { clash: Clash; keep: () => void; load: () => void }) {
  const { page } = useWork();
  const changes = diff(clash.base, clash.theirs);
  const loadHere = (event: MouseEvent) => {
    event.preventDefault();
    load();
  };
  return (
    <Alert kind="warn" about={clash}>
      <p>
        <strong>
          Nothing was saved: {clash.by} saved version {clash.version} on <Time at={clash.at} />, after you opened this
          page.
        </strong>{" "}
        Your changes are still here, laid over theirs.
      </p>
      {changes.length > 0 && <p className="small">They changed: {changes.map((each) => each.where).join(", ")}.</p>}
      {clash.conflicts.length > 0 && <Conflicts conflicts={clash.conflicts} />}
      <div className="row">
        <button type="button" className="button" onClick={keep}>
          Keep mine, over version {clash.version}
        </button>
        <a className="button" href={page.urls.flow} onClick={loadHere}>
          Load theirs, drop mine
        </a>
      </div>
    </Alert>
  );
}

function Conflicts({ conflicts }: { conflicts: Difference[] }) {
  const { page } = useWork();
  const label = (path: string[]) => {
    const name = propertyAt(path);
    return (name && page.properties[name]?.label) ?? path.join(" › ");
  };
  return (
    <div className="scroller">
      <table>
        <caption className="unseen">Where both of you changed the same</caption>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Yours</th>
            <th scope="col">Theirs</th>
          </tr>
        </thead>
        <tbody>
          {conflicts.map(({ path, mine, theirs }) => (
            <tr key={path.join(".")}>
              <th scope="row">{label(path)}</th>
              <td>{inCell(mine)}</td>
              <td>{inCell(theirs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function inCell(value: Difference["mine"]): string {
  return typeof value === "string" ? value || "(empty)" : shown(value);
}
