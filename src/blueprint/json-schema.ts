/** The JSON Schema of blueprints, which editors complete and check YAML with; `blueprints/blueprint.schema.json` is it. */
import * as z from "zod";
import { blueprintSchema } from "./schema.ts";

/** JSON Schema (draft 2020-12) of a blueprint as written. What keys forbid to each other is checked by `lint` alone. */
export function blueprintJsonSchema(): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(blueprintSchema, { io: "input" });
  return {
    $schema,
    title: "Blueprint of symbiotic-chrysalis",
    description: "A training recipe; docs/blueprints.md explains how one is matched and written",
    ...rest,
  };
}
