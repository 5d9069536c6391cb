/** Writes `blueprints/blueprint.schema.json` from the schema in `src/blueprint/schema.ts`; a test tells when to. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { blueprintJsonSchema } from "../src/blueprint/json-schema.ts";

const file = fileURLToPath(new URL("../blueprints/blueprint.schema.json", import.meta.url));
writeFileSync(file, `${JSON.stringify(blueprintJsonSchema(), null, 2)}\n`);
