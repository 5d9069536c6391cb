/** `chrysalis epigenome explain`: why a file is trained on or not, and which rule decided what. */

import { selectGenes } from "../epigenome/select.ts";
import { doseFields, dosing, ruleName } from "../epigenome/rules.ts";
import { UserError } from "../errors.ts";
import type { Gene } from "../genome/manifest.ts";
import { dietFlags, openDiet } from "./diet.ts";
import { formatBytes, oneLine } from "./format.ts";
import { defineVerb } from "./verb.ts";

const mostNamed = 3;

export const epigenomeExplain = defineVerb({
  name: "epigenome explain",
  summary: "Tell why a file is trained on or not, and which rule decided",
  usage: "PATH [--genome DIR] [--data FILE|DIR] [--model MODEL] [--blueprint FILE]",
  positionals: [{ name: "PATH", help: "File as repository/path, or the end of that where it is one file's alone" }],
  flags: dietFlags,
  examples: [
    { command: "chrysalis epigenome explain my-project/README.md --genome nest/genome", does: "of a file of a run" },
    {
      command: "chrysalis epigenome explain data/log.txt --genome nest/genome --blueprint recipe.yaml",
      does: "under a recipe of your own",
    },
  ],
  async run(input, { cwd, progress }) {
    const { genome, recipe, options } = await openDiet(input, { cwd, progress });
    await genome.close();
    const gene = findGene(genome.genes, input.positionals[0]!);
    const { expressed, silent } = selectGenes(genome.genes, options);
    const of = expressed.find((file) => file.gene === gene);
    const { by, ...dose } = dosing(options.rules)(gene);
    const { repository, path, kind, language, licence, textBytes, flags, duplicateClass, representative } = gene;
    return {
      recipe,
      file: { repository, path, kind, language, licence, bytes: textBytes, flags, duplicateClass, representative },
      expressed: of !== undefined,
      reason: silent.find((file) => file.gene === gene)?.reason ?? null,
      copies: of?.copies ?? 0,
      ...dose,
      by: Object.fromEntries(Object.entries(by).map(([field, rule]) => [field, ruleName(rule)])),
    };
  },
  human({ file, recipe, expressed, reason, copies, by, ...dose }) {
    const decided = doseFields.map((field) => {
      const rule = by[field];
      return `${field.padEnd(10)}${shown(dose[field], field).padEnd(10)} ${rule === undefined ? "no rule speaks of it" : `rule ${oneLine(rule, 500)}`}`;
    });
    const times = copies === 1 ? "" : `, ${copies} times in a pass`;
    const repeated =
      file.duplicateClass === null ? "" : `, ${file.representative ? "stands for" : "in"} ${file.duplicateClass}`;
    return [
      oneLine(`${file.repository}/${file.path}`, 2000),
      `${file.kind}, ${file.language ?? "no language"}, ${file.licence}, ${formatBytes(file.bytes)}${repeated}`,
      expressed ? `trained on by ${recipe}${times}` : `silent in ${recipe}: ${reason}`,
      "",
      ...decided,
    ].join("\n");
  },
});

function shown(value: string | number | object | null, field: string): string {
  if (value === null) return field === "stage" ? "every" : "none";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function findGene(genes: readonly Gene[], wanted: string): Gene {
  const nameOf = ({ repository, path }: Gene): string => `${repository}/${path}`;
  const found = genes.filter((gene) => nameOf(gene) === wanted);
  const ends = found.length > 0 ? found : genes.filter((gene) => nameOf(gene).endsWith(`/${wanted}`));
  if (ends.length === 1) return ends[0]!;
  if (ends.length === 0) {
    throw new UserError("not-found", `${wanted} is no file of the genome`, {
      hint: "give repository/path; chrysalis genome show DIR --depth 3 lists what there is",
    });
  }
  const names = ends.slice(0, mostNamed).map(nameOf).join(", ");
  throw new UserError(
    "invalid",
    `${ends.length} files end in ${wanted}: ${names}${ends.length > mostNamed ? " ..." : ""}`,
    {
      hint: "give more of the path",
    },
  );
}
