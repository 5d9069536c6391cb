/** `chrysalis score`: the negative log-likelihood of given token ids; needs no tokenizer. */

import { UserError } from "../errors.ts";
import { readJson } from "../formats/files.ts";
import { blankBatch } from "../models/batch.ts";
import type { ModelConfig } from "../models/config.ts";
import { inspectBody, loadBody } from "../models/load.ts";
import { compileStep } from "../models/step.ts";
import { checkModelPath } from "./model-path.ts";
import { checkAttentionMemory } from "./model.ts";
import { defineVerb } from "./verb.ts";

export const score = defineVerb({
  name: "score",
  summary: "Print the negative log-likelihood of each token of a list of token ids",
  usage: "MODEL --ids FILE",
  positionals: [{ name: "MODEL", help: "Hugging Face folder (it needs no tokenizer) or .gguf file" }],
  flags: {
    ids: { kind: "text", value: "FILE", required: true, help: "JSON array of n token ids; none is added" },
  },
  examples: [
    {
      command: "chrysalis score models/larva --ids ids.json --json",
      does: 'n - 1 numbers in nats, {"nll": [...]}: of ids 2 to n, each given those before it',
    },
  ],
  async run({ flags, positionals }, { signal, progress }) {
    const model = positionals[0]!;
    checkModelPath(model);
    const { config } = await inspectBody(model);
    const ids = checkIds(await readJson(flags.ids), flags.ids, config);
    const T = ids.length - 1;
    checkAttentionMemory(config, 1, T);
    signal.throwIfAborted();
    progress.update({ stage: "scoring", details: [`${ids.length} ids`] });
    const step = await compileStep(await loadBody(model), { B: 1, T, train: "none" });
    try {
      const batch = blankBatch(1, T, ids[0]!);
      batch.ids.set(ids.slice(0, T));
      batch.targets.set(ids.slice(1));
      batch.weights.fill(1);
      batch.positions.set(ids.keys().take(T).toArray());
      batch.documents.fill(0);
      return { nll: Array.from(await step.evaluate(batch)) };
    } finally {
      await step.release();
    }
  },
  human: ({ nll }) => nll.map((value) => value.toFixed(6)).join("\n"),
});

/** Two or more ids of the vocabulary, no more than the model has positions for. */
function checkIds(json: unknown, file: string, { vocabularySize, maxPositions }: ModelConfig): number[] {
  const wrong = (what: string, hint: string): UserError => new UserError("invalid", `${file} ${what}`, { hint });
  const form = "it must be a JSON array of token ids, such as [1, 17, 4]";
  if (!Array.isArray(json)) throw wrong("holds no array", form);
  const values = json as unknown[];
  const at = values.findIndex(
    (id) => !(Number.isInteger(id) && (id as number) >= 0 && (id as number) < vocabularySize),
  );
  if (at >= 0) {
    const what = `holds ${JSON.stringify(values[at])} at index ${at}`;
    throw wrong(what, `ids of this model are whole numbers from 0 to ${vocabularySize - 1}`);
  }
  if (values.length < 2) throw wrong(`holds ${values.length} ids`, "two at least are needed: the first is not scored");
  if (values.length - 1 > maxPositions) {
    throw wrong(
      `holds ${values.length} ids`,
      `the model has ${maxPositions} positions: give at most ${maxPositions + 1}`,
    );
  }
  return values as number[];
}
