/** `chrysalis data`: what files of one's own hold, and how a model would see their records; nothing is trained. */

import { forms, formsInWords, isTrainable } from "../epigenome/data/forms.ts";
import type { DataRecord, Form } from "../epigenome/data/forms.ts";
import { describeData, readData } from "../epigenome/data/read-data.ts";
import type { DataItem, DataOptions } from "../epigenome/data/read-data.ts";
import type { RenderedRecord } from "../epigenome/data/render-dialogue.ts";
import { createRecordRenderer } from "../epigenome/data/render-record.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { formatCount, formatMany, harmless } from "./format.ts";
import { rowWidth, table } from "./genome-lines.ts";
import { openTokenizer } from "./model.ts";
import type { Progress } from "./progress.ts";
import { defineVerb } from "./verb.ts";

const DEFAULT_RECORDS = 3;
/** Of a record that is shown to people; JSON has all of it. */
const MOST_CHARACTERS = 2000;
const [open, close] = ["⟦", "⟧"];

export const data = defineVerb({
  name: "data",
  summary: "Show what data files hold, and their first records as a model would see them",
  usage: "PATH [--form FORM] [--model MODEL] [--records N] [--as-dialogue]",
  positionals: [
    {
      name: "PATH",
      help: "Data file (.jsonl, .json, .csv, .tsv, also .gz; .parquet), or a folder: all of them below it; run --data trains on them",
    },
  ],
  flags: {
    form: {
      kind: "choice",
      choices: forms,
      help: `Form of the records (default: of each file what its first 100 records have): ${formsInWords}`,
    },
    model: {
      kind: "text",
      value: "MODEL",
      help: "Model folder or .gguf file: show the tokens of its chat template, what is trained in ⟦ ⟧",
    },
    records: {
      kind: "number",
      value: "N",
      integer: true,
      min: 0,
      max: 1000,
      default: DEFAULT_RECORDS,
      help: "Records to show of each file",
    },
    asDialogue: {
      kind: "switch",
      help: "Take prompts and completions, questions and answers, as dialogues rather than documents",
    },
  },
  examples: [
    { command: "chrysalis data chats.jsonl", does: "its form, how many records, and the first three" },
    {
      command: "chrysalis data dataset --model path/to/SmolLM2-135M-Instruct --records 1",
      does: "a folder as this model's chat template writes it",
    },
  ],
  async run({ flags, positionals }, { signal, progress }) {
    const path = positionals[0]!;
    const options: DataOptions = {
      asDialogue: flags.asDialogue,
      ...(flags.form === undefined ? {} : { form: flags.form }),
    };
    const described = await describeData(path, options);
    const see = flags.model === undefined ? undefined : createSight(await openTokenizer(flags.model));
    const files: FileSummary[] = [];
    for (const { path: file, form } of described) {
      const counted = await countRecords(file, form, { options, shown: flags.records, see, signal, progress });
      files.push({ path: file, form, ...counted });
    }
    const records = files.reduce((sum, file) => sum + file.records, 0);
    return { path, ...(flags.model === undefined ? {} : { model: flags.model }), records, files };
  },
  human: ({ files, records, model }, columns) => {
    const rows = files.map((file) => [
      file.path,
      file.form,
      formatCount(file.records),
      file.untrained === 0 ? "" : formatCount(file.untrained),
    ]);
    const untrained = files.some((file) => file.untrained > 0);
    const shape = [
      { heading: "", align: "rest" },
      { heading: "form", align: "left" },
      { heading: "records", align: "right" },
      ...(untrained ? [{ heading: "nothing to train", align: "right" } as const] : []),
    ] as const;
    const cells = untrained ? rows : rows.map((row) => row.slice(0, 3));
    return [
      ...table(shape, cells, rowWidth(columns)),
      ...(files.length > 1 ? [`${formatMany(records, "record")} in ${formatMany(files.length, "file")}`] : []),
      ...files.flatMap((file) => file.examples.flatMap((example) => ["", ...exampleLines(file.path, example)])),
      ...(model === undefined && files.some(({ examples }) => examples.length > 0)
        ? ["", "With --model MODEL records are shown as its chat template writes them, with what is trained in ⟦ ⟧."]
        : []),
    ].join("\n");
  },
});

interface Example {
  readonly line: number;
  readonly record: DataRecord;
  /** With a model. */
  readonly seen?: Seen;
}

interface Seen {
  readonly tokens: number;
  readonly trainedTokens: number;
  readonly answers: RenderedRecord["answers"];
  /** The tokens as text, in runs of what is trained and what is not. */
  readonly parts: readonly { readonly text: string; readonly trained: boolean }[];
}

interface Counted {
  readonly records: number;
  /** Records in which training finds nothing to predict. */
  readonly untrained: number;
  readonly examples: readonly Example[];
}

interface FileSummary extends Counted {
  readonly path: string;
  readonly form: Form;
}

type See = (item: DataItem) => Seen;

async function countRecords(
  file: string,
  form: Form,
  to: {
    readonly options: DataOptions;
    readonly shown: number;
    readonly see: See | undefined;
    readonly signal: AbortSignal;
    readonly progress: Progress;
  },
): Promise<Counted> {
  const examples: Example[] = [];
  let [records, untrained] = [0, 0];
  for await (const item of readData(file, { ...to.options, form })) {
    const { line, record } = item;
    if (records < to.shown) examples.push({ line, record, ...(to.see === undefined ? {} : { seen: to.see(item) }) });
    records += 1;
    if (!isTrainable(record)) untrained += 1;
    if (records % 1000 === 0) {
      to.signal.throwIfAborted();
      to.progress.update({ stage: "reading", details: [file, formatMany(records, "record")] });
    }
  }
  return { records, untrained, examples };
}

/** How a model sees records: the tokens that it would be trained on, as text again. */
function createSight(tokenizer: Tokenizer): See {
  const render = createRecordRenderer(tokenizer);
  return ({ source, line, record }) => {
    const { ids, trained, answers } = render(record, placed(source, line));
    const parts: { text: string; trained: boolean }[] = [];
    for (let from = 0, to = 0; from < ids.length; from = to) {
      while (to < ids.length && trained[to] === trained[from]) to++;
      parts.push({ text: tokenizer.decode(ids.slice(from, to)), trained: trained[from]! });
    }
    return { tokens: ids.length, trainedTokens: trained.filter(Boolean).length, answers, parts };
  };
}

function placed(file: string, line: number): string {
  return `${file}, ${/\.parquet$/i.test(file) ? "row" : "line"} ${line}`;
}

function exampleLines(file: string, { line, record, seen }: Example): string[] {
  const heading = placed(file, line);
  if (seen === undefined) return [heading, ...indented(recordText(record))];
  const text = seen.parts.map((part) => (part.trained ? `${open}${part.text}${close}` : part.text)).join("");
  const only = seen.answers === "last" ? "; the template writes earlier turns otherwise, so the last answer alone" : "";
  return [
    `${heading}: ${formatMany(seen.tokens, "token")}, ${formatCount(seen.trainedTokens)} of them trained${only}`,
    ...indented(text),
  ];
}

function recordText(record: DataRecord): string {
  switch (record.kind) {
    case "text":
      return record.text;
    case "completion":
      return `${record.prompt}${open}${record.completion}${close}`;
    case "dialogue":
      return record.messages.map(({ role, content }) => `${role}: ${content}`).join("\n");
  }
}

function indented(text: string): string[] {
  const shown = text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
  return harmless(shown)
    .split("\n")
    .map((line) => `  ${line}`.trimEnd());
}
