/** The training of a run, with what the parent writes and reads before it. */

import { existsSync } from "node:fs";
import { settingsOf } from "../../blueprint/plan.ts";
import type { Plan } from "../../blueprint/plan.ts";
import type { Training } from "../../imago/report.ts";
import { bodyOf, stopwatch } from "./context.ts";
import type { Shared } from "./context.ts";
import type { PipelineOptions } from "./events.ts";
import { refuseChanged } from "./inputs.ts";
import type { Inputs } from "./inputs.ts";
import { genomeOf } from "./nest-files.ts";
import { resumeCommand } from "./nest.ts";
import type { Nest } from "./nest.ts";
import { openWithData } from "./own-data.ts";
import { parentRecord } from "./parent-record.ts";
import { expressRun, expressTexts } from "./planning.ts";
import type { ExpressedTexts } from "./planning.ts";
import { encodeReplay } from "./replay.ts";
import { synthesise } from "./synthesis.ts";
import { trainAsPlanned } from "./training.ts";

export async function trainingStage(shared: Shared): Promise<Training> {
  const { nest, inputs, plan, settings, interim, carried, options } = shared;
  const done = nest.result<Training>("chrysalis");
  if (done !== undefined) return done;
  const { onEvent, signal } = options;
  const { replay, pairs } = await synthesisStage(shared);
  const elapsed = stopwatch();
  const isAsPlanned = pairs === undefined && carried.texts !== undefined;
  const texts = isAsPlanned
    ? carried.texts!
    : await expressAgain(nest, plan, inputs, { ...options, pairsOf: pairs?.of });
  const record = await parentRecord({
    path: (name) => nest.path(name),
    plan,
    settings,
    stages: texts.stages,
    tokenizer: inputs.tokenizer,
    body: () => bodyOf(nest, carried, options),
    onMeasuring: (done, total) => onEvent({ type: "work", work: "measuring", done, total }),
    signal,
  });
  const body = await bodyOf(nest, carried, options);
  const training = await trainAsPlanned({
    plan,
    settings,
    body,
    tokenizer: inputs.tokenizer,
    stages: texts.stages,
    record,
    texts: interim,
    replay: await encodeReplay(plan, inputs, replay),
    pairsSha256: pairs?.sha256,
    dir: nest.path("chrysalis"),
    resume: existsSync(nest.path("chrysalis")),
    resumeWith: resumeCommand(nest.dir),
    onEvent: (event) => {
      if (event.type === "warning") nest.warn(event.message);
      onEvent({ type: "training", event });
    },
    signal,
  });
  // What an earlier process of this run trained is in `training.seconds` alone.
  await nest.finish("chrysalis", Math.max(elapsed(), training.seconds), training);
  return training;
}

function synthesisStage({ nest, inputs, ownTokenizer, plan, settings, retention, carried, options }: Shared) {
  const { onEvent, signal } = options;
  return synthesise({
    nest,
    settings,
    plan,
    tokenizer: ownTokenizer,
    retention,
    body: () => bodyOf(nest, carried, options),
    async withExpressed(use) {
      const genome = await openWithData(genomeOf(nest), inputs.data);
      try {
        refuseChanged(`the genome in ${genome.dir}`, plan.inputs.genome.sha256, genome.sha256);
        const { expressed } = carried.texts?.expression ?? (await expressRun(genome, settings, inputs));
        return await use(genome, expressed);
      } finally {
        await genome.close();
      }
    },
    onReplay: (done, total) => onEvent({ type: "work", work: "replay", done, total }),
    onQuestions: (done, total) => onEvent({ type: "work", work: "questions", done, total }),
    signal,
  });
}

async function expressAgain(
  nest: Nest,
  plan: Plan,
  inputs: Inputs,
  { onEvent, signal, pairsOf }: PipelineOptions & Pick<Parameters<typeof expressTexts>[2], "pairsOf">,
): Promise<ExpressedTexts> {
  const genome = await openWithData(genomeOf(nest), inputs.data);
  try {
    refuseChanged(`the genome in ${genome.dir}`, plan.inputs.genome.sha256, genome.sha256);
    const onEncoding = (done: number, total: number): void => onEvent({ type: "work", work: "encoding", done, total });
    return await expressTexts(genome, settingsOf(plan), { inputs, pairsOf, onEncoding, signal });
  } finally {
    await genome.close();
  }
}
