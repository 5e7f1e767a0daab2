// Who may call: group ids with commas between them, typed, pasted or picked from the tenant's groups.

import type { Json } from "../document/json";
import type { Group, Property } from "../server/page";
import { ChosenGroups } from "./chosen-groups";
import { GroupOptions, optionId } from "./group-options";
import { GROUPS_ID, type GroupPicker, onPickerKey, useGroupPicker } from "./group-picker";

type Props = {
  value: Json | undefined;
  onChange: (ids: string[]) => void;
  groups: Group[] | null;
  property: Property;
  isDisabled: boolean;
};

export function GroupsField({ value, onChange, groups, property, isDisabled }: Props) {
  const picker = useGroupPicker(value, onChange, groups);
  const { unknown, options } = picker;
  const isShown = picker.isOpen && options.length > 0 && !isDisabled;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only notices that the focus has left its parts.
    <div
      className="field groups"
      onBlur={(event) => event.currentTarget.contains(event.relatedTarget) || picker.setOpen(false)}
    >
      <label htmlFor={GROUPS_ID}>{property.label}</label>
      <Combobox picker={picker} isShown={isShown} isDisabled={isDisabled} />
      <GroupOptions picker={picker} isShown={isShown} />
      {unknown.length > 0 && (
        <p className="error" id={`${GROUPS_ID}-error`}>
          {unknownMessage(unknown)}
        </p>
      )}
      <p className="help" id={`${GROUPS_ID}-help`}>
        {property.help}
      </p>
      <ChosenGroups groups={picker.chosen} isDisabled={isDisabled} drop={picker.drop} />
    </div>
  );
}

type ComboboxProps = { picker: GroupPicker; isShown: boolean; isDisabled: boolean };

function Combobox({ picker, isShown, isDisabled }: ComboboxProps) {
  const hasError = picker.unknown.length > 0;
  return (
    <input
      id={GROUPS_ID}
      type="text"
      role="combobox"
      aria-autocomplete="list"
      aria-expanded={isShown}
      aria-controls={`${GROUPS_ID}-list`}
      aria-activedescendant={isShown && picker.active >= 0 ? optionId(picker.active) : undefined}
      aria-describedby={`${GROUPS_ID}-help${hasError ? ` ${GROUPS_ID}-error` : ""}`}
      aria-invalid={hasError ? true : undefined}
      autoComplete="off"
      autoCapitalize="none"
      spellCheck={false}
      disabled={isDisabled}
      value={picker.text}
      onChange={(event) => picker.type(event.target.value)}
      onFocus={() => picker.setOpen(true)}
      onKeyDown={(event) => onPickerKey(event, picker)}
    />
  );
}

function unknownMessage(ids: string[]): string {
  return ids.map((id) => `The group ${id} does not exist.`).join(" ");
}
