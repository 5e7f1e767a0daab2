// Where the document holds the flow properties.

export const PROPERTIES = {
  name: ["name"],
  description: ["metadata", "description"],
  slug: ["config", "slug"],
  publish: ["config", "publish_as_model"],
  groups: ["config", "model_visibility_group_ids"],
  instance_mode: ["config", "scaiflow_meta", "instance_mode"],
  entity_scope: ["config", "scaiflow_meta", "entity_scope"],
  tags: ["metadata", "tags"],
  readers: ["config", "scaiflow_meta", "readers"],
};

export type PropertyName = keyof typeof PROPERTIES;

/** The property that the document holds at `path`. */
export function propertyAt(path: string[]): PropertyName | undefined {
  const names = Object.keys(PROPERTIES) as PropertyName[];
  return names.find((name) => PROPERTIES[name].join(".") === path.join("."));
}
