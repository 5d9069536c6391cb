/** The parent as it is before training: measured, and asked for the texts that stand in for what was not given. */

import { existsSync } from "node:fs";
import type { Settings } from "../../blueprint/plan.ts";
import type { HeldOutRecord } from "../../epigenome/heldout-records.ts";
import { atomicWrite, canonicalJson, readJson } from "../../formats/files.ts";
import { measure } from "../../imago/measure.ts";
import type { Measures } from "../../imago/measure.ts";
import { sampleParentText } from "../../imago/parent-text.ts";
import { sampleOwnTexts } from "../../imago/sample.ts";
import { writeModelFolder } from "../../models/save.ts";
import { bodyOf, stopwatch } from "./context.ts";
import type { Carried } from "./context.ts";
import type { PipelineOptions } from "./events.ts";
import { measureOptions } from "./imago-stage.ts";
import type { Inputs } from "./inputs.ts";
import { parentTextTokens } from "./interim.ts";
import { readRetention, writeParentText, writeRetention } from "./nest-files.ts";
import type { Nest } from "./nest.ts";

export async function beforeStage(
  nest: Nest,
  inputs: Inputs,
  settings: Settings,
  heldOut: readonly HeldOutRecord[],
  carried: Carried,
  options: PipelineOptions,
): Promise<Measures> {
  const file = nest.path("before.json");
  if (nest.result("before") !== undefined) return (await readJson(file)) as Measures;
  const { onEvent, signal } = options;
  signal.throwIfAborted();
  const elapsed = stopwatch();
  const body = await bodyOf(nest, carried, options);
  const { tokenizer } = inputs;
  if (body.source.kind === "gguf" && !existsSync(nest.path("parent"))) {
    onEvent({ type: "work", work: "exporting" });
    const { configJson, weights, generationConfig } = body;
    await writeModelFolder(nest.path("parent"), {
      configJson,
      weights: weights.values(),
      dtype: "F32",
      tokenizerFiles: tokenizer.files,
      generationConfig,
    });
  }
  if (inputs.retention === undefined) {
    const onProgress = (done: number, total: number): void => onEvent({ type: "work", work: "sampling", done, total });
    const { seed, threads } = settings;
    await writeRetention(nest, await sampleOwnTexts(body, tokenizer, { seed, threads, onProgress, signal }));
    nest.warn("no retention text was given: the parent's own samples stand for it");
  }
  const tokens = parentTextTokens(settings);
  if (tokens > 0) {
    const { seed, threads, sequence: window } = settings;
    const onProgress = (done: number, total: number): void => onEvent({ type: "work", work: "sampling", done, total });
    const sampled = { tokens, window, seed, threads, onProgress, signal };
    await writeParentText(nest, await sampleParentText(body, tokenizer.separator, sampled), tokenizer);
  }
  const retention = await readRetention(nest);
  const onMeasuring = (done: number, total: number): void => onEvent({ type: "work", work: "measuring", done, total });
  const measures = await measure(
    body,
    tokenizer,
    measureOptions({ settings, heldOut, retention, onMeasuring, signal }),
  );
  await atomicWrite(file, canonicalJson(measures));
  await nest.finish("before", elapsed());
  onEvent({ type: "measured", when: "before", figures: measures });
  return measures;
}
