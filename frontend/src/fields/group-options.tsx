// The tenant's groups that fit what is typed.

import type { Group } from "../server/page";
import { GROUPS_ID, type GroupPicker } from "./group-picker";

export function optionId(index: number): string {
  return `${GROUPS_ID}-${index}`;
}

export function GroupOptions({ picker, isShown }: { picker: GroupPicker; isShown: boolean }) {
  return (
    <div
      id={`${GROUPS_ID}-list`}
      role="listbox"
      aria-label="Groups of the tenant"
      className="options"
      hidden={!isShown}
    >
      {picker.options.map((group, index) => (
        <Option
          key={group.id}
          id={optionId(index)}
          group={group}
          isActive={index === picker.active}
          take={() => picker.take(group)}
        />
      ))}
    </div>
  );
}

type OptionProps = { id: string; group: Group; isActive: boolean; take: () => void };

function Option({ id, group, isActive, take }: OptionProps) {
  return (
    <div
      id={id}
      role="option"
      tabIndex={-1}
      aria-selected={isActive}
      onPointerDown={(event) => {
        // The input keeps the focus, so that typing goes on.
        event.preventDefault();
        take();
      }}
    >
      <span>{group.name}</span> <code>{group.id}</code>
    </div>
  );
}
