/** The card of an imago: what a person wants to know of it, from its report. */

import type { GroupScore } from "../eval/macro.ts";
import { markText } from "./marks-text.ts";
import { candidateText, keepText, overrunText, riseText } from "./outcome.ts";
import type { Candidate } from "./outcome.ts";
import type { Course, Report } from "./report.ts";

const MOST_FILES = 40;
const MOST_CHANGES = 40;

/** README.md of the imago's folder, with the front matter that model hubs read. */
export function writeCard(report: Report): string {
  const { before, after, change, lineage, training } = report;
  const { parent, genome, data = [] } = lineage;
  const fence = fenceFor([before, after].flatMap(({ sample }) => [sample.prompt, sample.greedy, sample.sampled]));
  const rows = (one: readonly GroupScore[], other: readonly GroupScore[], what: string): string =>
    table(
      [what, "files", "bytes", "before", "after", "change"],
      one.map((group, i) => [
        cell(group.group),
        String(group.files),
        count(group.bytes),
        ...beforeAfter(group.bitsPerByte, other[i]!.bitsPerByte),
      ]),
    );
  const sample = (text: string): string => `${fence}text\n${text}\n${fence}`;
  return `---
library_name: transformers
pipeline_tag: text-generation
tags: [symbiotic-chrysalis, fine-tuned]
---

# ${parent.name}, trained on ${names([...genome.repositories, ...data].map(({ name }) => name))}

A language model of ${count(parent.parameters)} parameters (${parent.modelType}). Its parent \`${parent.name}\` was trained further
by symbiotic-chrysalis ${report.tool.version} (${training.method === "lora" ? "a low-rank adapter, merged into the weights" : "all weights"}) on the files of
${sourcesOf(report)}: ${count(training.tokens)} tokens in ${count(training.steps)} steps.

## Figures

Bits per byte, lower is better: total nats / (ln 2 x UTF-8 bytes), in windows of ${report.evaluation.window} positions with a stride of
${report.evaluation.stride}. *Held-out* are ${heldOutText(report)} that were never trained on, *retention* is ${retentionText(report)}.
${answersText(report)}\`after\` was measured on the files of this folder. The standard error is that of the paired difference over documents.

${table(
  ["", "before", "after", "change", "difference", "standard error"],
  [
    [
      "held-out",
      ...beforeAfter(before.bitsPerByte, after.bitsPerByte),
      figure(change.heldOut.difference),
      error(change.heldOut.standardError),
    ],
    ["held-out, mean of repositories", ...beforeAfter(before.bitsPerByteMacro, after.bitsPerByteMacro), "", ""],
    [
      "retention",
      ...beforeAfter(before.retentionBitsPerByte, after.retentionBitsPerByte),
      figure(change.retention.difference),
      error(change.retention.standardError),
    ],
  ],
)}

${repairText(report)}${rows(before.perRepository, after.perRepository, "held-out, by repository")}

${rows(before.perKind, after.perKind, "held-out, by kind")}
${report.warnings.length === 0 ? "" : `\n${report.warnings.map((warning) => `- Note: ${warning}.`).join("\n")}\n`}${outcomeSection(report)}${marksSection(report)}
## Samples

Both models go on with the beginning of the held-out file \`${before.sample.document}\`:

${sample(before.sample.prompt)}

Before, always the likeliest token:

${sample(before.sample.greedy)}

After, always the likeliest token:

${sample(after.sample.greedy)}

Before, sampled at temperature 0.8:

${sample(before.sample.sampled)}

After, sampled at temperature 0.8:

${sample(after.sample.sampled)}

## Use

\`\`\`sh
chrysalis chat .
\`\`\`

\`\`\`python
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = AutoModelForCausalLM.from_pretrained(".")
ids = tokenizer("Once", return_tensors="pt")
print(tokenizer.decode(model.generate(**ids, max_new_tokens=60)[0]))
\`\`\`
${training.method === "lora" ? "\nThe adapter alone, in PEFT format, is in `adapter/`; its configuration names the parent's folder.\n" : ""}
## Predicted and measured

${courseTable(report)}

## Lineage

${table(
  ["what", "value"],
  [
    ["parent", `\`${parent.name}\`, SHA-256 \`${parent.sha256}\``],
    ...(report.repair === null
      ? []
      : [["instruct model", `\`${report.repair.instruct}\`, SHA-256 \`${report.repair.sha256}\``]]),
    ...(genome.repositories.length === 0 ? [] : [["genome.txt", `SHA-256 \`${genome.sha256}\``]]),
    ...genome.repositories.map(({ name, url, commit }) => [
      `repository ${cell(name)}`,
      `commit \`${commit}\`${url === null ? "" : ` of ${cell(url)}`}`,
    ]),
    ...data.map(({ name, sha256, form, records }) => [
      `data ${cell(name)}`,
      `SHA-256 \`${sha256}\`, ${count(records)} records of the form ${form}`,
    ]),
    ["blueprint", `${lineage.blueprint.name}, SHA-256 \`${lineage.blueprint.sha256}\``],
    ["plan", `SHA-256 \`${lineage.plan}\``],
    ["seed, threads", `${lineage.seed}, ${lineage.threads}`],
    ["weights", `${candidateText(report.outcome.emerged)} of ${training.steps}, exported in ${report.export.dtype}`],
    ["versions", `symbiotic-chrysalis ${lineage.versions.chrysalis}, Node ${lineage.versions.node}`],
    [
      "speed and memory",
      `${count(training.tokensPerSecond)} tokens/s, at most ${count(report.peakMemoryBytes / 2 ** 20)} MiB`,
    ],
  ],
)}

## Held-out files

${heldOutList(report)}

## Licence

These weights derive from the parent's and from the repositories${data.length === 0 ? "" : " and data"} above, whose licences and terms continue to apply: read them
before passing the weights on.
`;
}

function courseTable({ predicted, measured }: Report): string {
  const rate = predicted.rate === "measured" ? "a probe of seconds" : "an estimate from shapes";
  const row = (name: string, of: (course: Course) => number, digits: number): string[] => {
    const [foretold, found] = [of(predicted), of(measured)];
    const say = (value: number): string =>
      value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    return [name, say(foretold), say(found), foretold === 0 ? "" : percent(found / foretold - 1)];
  };
  return table(
    ["", "predicted", "measured", "difference"],
    [
      row(`tokens/s (predicted by ${rate})`, ({ tokensPerSecond }) => tokensPerSecond, 0),
      row("MiB of memory, at most", ({ memoryBytes }) => memoryBytes / 2 ** 20, 0),
      row("steps", ({ steps }) => steps, 0),
      row("tokens", ({ tokens }) => tokens, 0),
      row("minutes of training", ({ minutes }) => minutes, 1),
    ],
  );
}

function sourcesOf({ lineage: { genome, data = [] } }: Report): string {
  const many = (of: readonly unknown[], one: string, more: string): string[] =>
    of.length === 0 ? [] : [`${of.length} ${of.length === 1 ? one : more}`];
  return [
    ...many(genome.repositories, "git repository", "git repositories"),
    ...many(data, "data file", "data files"),
  ].join(" and ");
}

function heldOutText({ lineage: { genome, data = [] } }: Report): string {
  return [
    ...(genome.repositories.length === 0 ? [] : ["whole files of the repositories"]),
    ...(data.length === 0 ? [] : ["records of the data"]),
  ].join(" and ");
}

function answersText({ heldOut }: Report): string {
  if (heldOut.every(({ framing }) => framing === undefined)) return "";
  return "Of dialogues, and of prompts with completions, the answers are measured and the prompts are context.\n";
}

function retentionText({ retentionSource, retention }: Report): string {
  const size = `(${retention.documents === 1 ? "1 document" : `${count(retention.documents)} documents`}, ${count(retention.bytes)} bytes)`;
  switch (retentionSource) {
    case "given":
      return `general text given for the purpose ${size}`;
    case "model":
      return `the general text that comes with the parent ${size}`;
    case "sampled":
      return `text that the parent itself wrote at temperature 1 ${size}: it shows distance from the parent, not knowledge`;
  }
}

function repairText({ repair }: Report): string {
  if (repair === null) return "";
  return `The weights are the trained parent's plus what the instruct model \`${repair.instruct}\` has over the parent. The instruct model
itself has ${figure(repair.bitsPerByte)} on the held-out files and ${figure(repair.retentionBitsPerByte)} on the retention text.

`;
}

/** The forgetting budget and what it cost, and the blends that were measured; nothing where there were none. */
function outcomeSection({ outcome }: Report): string {
  const { keep, emerged, givenUp, blends } = outcome;
  if (keep === null && blends.length === 0) return "";
  const row = (what: string, of: Candidate): string[] => [
    what,
    candidateText(of),
    figure(of.heldOut),
    of.retentionRise === null ? "" : riseText(of.retentionRise),
    of.kl === undefined ? "" : figure(of.kl),
    of.over.length === 0 ? "" : of.over.map(overrunText).join(", "),
  ];
  const named = [emerged, ...(givenUp === null ? [] : [givenUp])];
  const others = blends.filter((of) => !named.some((one) => candidateText(one) === candidateText(of)));
  const budget = keep === null ? "" : `The forgetting budget, against the parent, was ${keepText(keep)}. `;
  const divergence = keep !== null && keep.kl !== null ? ", KL(parent || child) on text that the parent sampled" : "";
  const blended = blends.length === 0 ? "" : " At alpha 0 a blend is the parent, at 1 it is as trained.";
  return `
## What emerged

${budget}These figures are of the samples that evaluations score${divergence}.${blended}

${table(
  ["", "weights", "held-out", "retention", "KL", "over the budget"],
  [
    row("emerged", emerged),
    ...(givenUp === null ? [] : [row("given up", givenUp)]),
    ...others.map((of) => row("blend", of)),
  ],
)}
`;
}

function marksSection({ training: { marks } }: Report): string {
  if (marks === null) return "";
  const { changes, groups, cost } = marks;
  const shown = changes.slice(0, MOST_CHANGES);
  const rest = changes.length - shown.length;
  const listed = table(
    ["from step", "files", "mark before", "mark", "by"],
    shown.map(({ step, group, from, to, reasons }) => [
      count(step),
      cell(group),
      markText(from),
      markText(to),
      reasons.join(", "),
    ]),
  );
  const more = rest === 0 ? "" : `\n\nand ${rest} more, which \`report.json\` lists.`;
  return `
## Marks that changed

Of ${count(groups)} groups of files, while training. Measuring gradients for it took ${count(cost.sequences)} sequences, ${(100 * cost.share).toFixed(1)} % of
those trained, and ${count(cost.seconds)} seconds.

${changes.length === 0 ? "None changed." : listed + more}
`;
}

function heldOutList({ heldOut }: Report): string {
  const shown = heldOut.slice(0, MOST_FILES);
  const rest = heldOut.length - shown.length;
  const listed = table(
    ["file", "bytes", "before", "after", "change"],
    shown.map(({ repository, path, bytes, before, after }) => [
      cell(`${repository}/${path}`),
      count(bytes),
      ...beforeAfter(before, after),
    ]),
  );
  return rest === 0 ? listed : `${listed}\n\nand ${rest} more, which \`report.json\` lists.`;
}

function names(of: readonly string[]): string {
  if (of.length <= 3) return of.map(cell).join(", ");
  return `${of.slice(0, 2).map(cell).join(", ")} and ${of.length - 2} more`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function beforeAfter(before: number, after: number): string[] {
  return [figure(before), figure(after), before === 0 ? "" : percent(after / before - 1)];
}

const figure = (value: number): string => value.toFixed(4);
const error = (value: number | null): string => (value === null ? "" : figure(value));
const count = (value: number): string => Math.round(value).toLocaleString("en-US");

function percent(change: number): string {
  return `${change > 0 ? "+" : ""}${(100 * change).toFixed(1)} %`;
}

/** Text inside a table's cell: names of files may hold anything. */
function cell(text: string): string {
  return text.replaceAll(/[\r\n]+/g, " ").replaceAll(/[\\|`<*_[\]]/g, "\\$&");
}

/** A fence that no line of the texts ends. */
function fenceFor(texts: readonly string[]): string {
  const longest = Math.max(2, ...texts.flatMap((text) => [...text.matchAll(/`+/g)].map(([run]) => run.length)));
  return "`".repeat(longest + 1);
}
