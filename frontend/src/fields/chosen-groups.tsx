// The groups that are chosen, by name and size.

import type { Group } from "../server/page";

type Props = { groups: Group[]; isDisabled: boolean; drop: (id: string) => void };

export function ChosenGroups({ groups, isDisabled, drop }: Props) {
  if (!groups.length) return null;
  return (
    <ul className="picked" aria-label="Chosen groups">
      {groups.map((group) => (
        <li key={group.id}>
          <span>
            {group.name} <small>{sizeOf(group)}</small>
          </span>
          {!isDisabled && (
            <button type="button" aria-label={`Take ${group.name} off the list`} onClick={() => drop(group.id)}>
              ✕
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

function sizeOf({ user_count: users, group_count: groups }: Group): string {
  const members = `${users} member${users === 1 ? "" : "s"}`;
  return groups ? `${members}, ${groups} nested group${groups === 1 ? "" : "s"}` : members;
}
