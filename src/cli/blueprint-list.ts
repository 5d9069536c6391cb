/** `chrysalis blueprint list`: the recipes that ship with the program, and whom they are for. */

import { describeApplies } from "../blueprint/describe-applies.ts";
import { loadBlueprints } from "../blueprint/load.ts";
import { rowWidth, table } from "./genome-lines.ts";
import { defineVerb } from "./verb.ts";

export const blueprintList = defineVerb({
  name: "blueprint list",
  summary: "List the recipes and the bodies they are for",
  usage: "",
  positionals: [],
  flags: {},
  examples: [{ command: "chrysalis blueprint list", does: "name, method and bodies of each" }],
  async run() {
    const blueprints = (await loadBlueprints()).map(({ blueprint, sha256 }) => {
      const { name, description, method, applies } = blueprint;
      return { name, description, method, applies: applies ?? {}, sha256 };
    });
    return { blueprints };
  },
  human: ({ blueprints }, columns) =>
    table(
      [
        { heading: "recipe", align: "left" },
        { heading: "method", align: "left" },
        { heading: "for", align: "rest" },
      ],
      blueprints.map(({ name, method, applies }) => [name, method, describeApplies(applies)]),
      rowWidth(columns),
    ).join("\n"),
});
