/** `chrysalis blueprint show`: one recipe as it is written, with the reasons that its comments give. */

import { resolve } from "node:path";
import { loadBlueprint } from "../blueprint/load.ts";
import { defineVerb } from "./verb.ts";

export const blueprintShow = defineVerb({
  name: "blueprint show",
  summary: "Show a recipe with its reasons",
  usage: "NAME|FILE",
  positionals: [{ name: "NAME|FILE", help: "Name of a recipe that blueprint list names, or a .yaml file" }],
  flags: {},
  examples: [
    { command: "chrysalis blueprint show medium-body", does: "the recipe as it is written" },
    {
      command: "chrysalis blueprint show medium-body > mine.yaml",
      does: "to change it into your own; give it its file's name",
    },
  ],
  async run({ positionals }, { cwd }) {
    const given = positionals[0]!;
    const isFile = /[/\\]|\.ya?ml$/i.test(given);
    const { blueprint, sha256, yaml } = await loadBlueprint(isFile ? resolve(cwd, given) : given);
    return { name: blueprint.name, sha256, blueprint, yaml };
  },
  human: ({ yaml }) => yaml.trimEnd(),
});
