/** The training stage of a run: the plan's settings put to the loop. */

import type { Plan, Settings } from "../blueprint/plan.ts";
import { planHash } from "../blueprint/plan.ts";
import { checkpointName } from "../chrysalis/checkpoint.ts";
import type { TrainEvent } from "../chrysalis/events.ts";
import { createAdamW } from "../chrysalis/optimisers/adamw.ts";
import { createMuon, NEWTON_SCHULZ } from "../chrysalis/optimisers/muon.ts";
import { train } from "../chrysalis/train.ts";
import { heldOutDocuments } from "../epigenome/heldout.ts";
import type { HeldOutRecord } from "../epigenome/heldout.ts";
import { packCorpus } from "../epigenome/pack.ts";
import type { TokenCorpus } from "../epigenome/pack.ts";
import { createStagedStream } from "../epigenome/staged-stream.ts";
import { createStream } from "../epigenome/stream.ts";
import { scoreDocuments } from "../eval/bits-per-byte.ts";
import type { Document } from "../eval/bits-per-byte.ts";
import { packageVersion } from "../formats/package-root.ts";
import { hash32 } from "../formats/random.ts";
import { total } from "../imago/measure.ts";
import type { Training } from "../imago/report.ts";
import { promptOf } from "../imago/sample.ts";
import { createGenerator } from "../inference/generate.ts";
import type { LoraOptions } from "../models/adapter.ts";
import type { Body } from "../models/body.ts";
import { createNewtonSchulz } from "../models/newton-schulz.ts";
import { compileStep } from "../models/step.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { StageCorpus } from "./stage-corpora.ts";

export interface TrainingOptions {
  readonly plan: Plan;
  readonly settings: Settings;
  /** The parent as loaded; full training changes its weights. */
  readonly body: Body;
  readonly tokenizer: Tokenizer;
  readonly stages: readonly StageCorpus[];
  readonly bytesPerToken: number;
  readonly replay: { readonly corpus: TokenCorpus; readonly sha256: string } | undefined;
  readonly heldOut: readonly HeldOutRecord[];
  readonly retention: readonly Document[];
  readonly dir: string;
  readonly resume: boolean;
  readonly resumeWith: string;
  readonly onEvent: (event: TrainEvent) => void;
  readonly signal: AbortSignal;
}

const SAMPLE_TOKENS = 40;
/** Part of an interim evaluation's tokens that is held-out text, which picks the best checkpoint. */
const HELD_OUT_PART = 0.6;

export function loraOf({ lora, seed }: Settings): LoraOptions | undefined {
  return lora === null ? undefined : { ...lora, seed };
}

/**
 * Trains as planned, or goes on with it, and leaves the checkpoints in `dir`.
 *
 * @throws UserError "diverged", "interrupted", "mismatch", "disk"
 */
export async function trainAsPlanned(options: TrainingOptions): Promise<Training> {
  const { plan, settings, body, tokenizer, replay } = options;
  const { threads, sequence: T, microBatch: B, microBatches } = settings;
  const lora = loraOf(settings);
  const step = await compileStep(body, { B, T, train: lora === undefined ? "full" : { lora }, threads });
  const solver = createNewtonSchulz({ ...NEWTON_SCHULZ, threads });
  const generator = createGenerator(body, {
    threads,
    ...(lora === undefined ? {} : { adapter: { lora, parameters: step.parameters } }),
  });
  const [beta1, beta2] = settings.betas;
  const adam = { beta1, beta2, epsilon: settings.epsilon, weightDecay: settings.weightDecay };
  const optimiser =
    settings.optimizer === "muon"
      ? createMuon(step.parameters, { ...adam, orthogonalise: solver.run })
      : createAdamW(step.parameters, adam);
  const { heldOut, retention } = interimTexts(options);
  const prompt = promptOf(heldOut, tokenizer, body.config.maxPositions);
  const { model, genome } = plan.inputs;
  const packedReplay = replay && { corpus: packCorpus(replay.corpus, T), share: settings.replay };
  const stream = createStagedStream(
    options.stages.map(({ corpus }, stage) =>
      createStream(packCorpus(corpus, T), {
        B,
        microBatches,
        // Of one seed, two stages would begin with the same replay.
        seed: stage === 0 ? settings.seed : hash32(settings.seed, "stage", stage, 0),
        ...(packedReplay ? { replay: packedReplay } : {}),
      }),
    ),
  );
  try {
    const result = await train({
      step,
      optimiser,
      stream,
      microBatches,
      stages: { shares: settings.stages.map(({ share }) => share), begin: (stage, step) => stream.begin(stage, step) },
      schedule: {
        learningRate: settings.learningRate,
        warmup: Math.max(1, Math.round(settings.warmup * plan.predicted.steps)),
        decay: settings.decay,
      },
      clip: settings.clip,
      budget: "minutes" in settings.budget ? { ...settings.budget, maxSteps: settings.maxSteps } : settings.budget,
      dir: options.dir,
      resume: options.resume,
      manifest: {
        tool: packageVersion(),
        plan: planHash(plan),
        model: model.sha256,
        genome: genome.sha256,
        replay: replay?.sha256 ?? null,
        seed: settings.seed,
        threads,
      },
      evaluation: {
        times: settings.evaluations,
        async evaluate() {
          const { perDocument } = await scoreDocuments(step, tokenizer, [...heldOut, ...retention]);
          return {
            heldOut: total(perDocument.slice(0, heldOut.length)),
            retention: total(perDocument.slice(heldOut.length)),
          };
        },
        async sample() {
          const stop = tokenizer.stop;
          const ids = await generator.generate(prompt.ids, { maxTokens: SAMPLE_TOKENS, stop });
          return tokenizer.decode(ids);
        },
      },
      checkpointEvery: settings.checkpoint,
      onEvent: options.onEvent,
      signal: options.signal,
      resumeWith: options.resumeWith,
    });
    const { steps, tokens, tokensPerSecond, seconds, evaluations, best } = result;
    // Evaluations are always planned, so there is a best one.
    const chosen = best!.evaluation;
    const checkpoint = best!.checkpoint === undefined ? null : checkpointName(chosen.step);
    return { steps, tokens, tokensPerSecond, seconds, evaluations, best: { ...chosen, checkpoint } };
  } finally {
    await generator.release();
    await solver.release();
    await step.release();
  }
}

/** The beginnings of the held-out and retention documents, each cut by the same part, within the plan's tokens. */
function interimTexts(options: TrainingOptions): { heldOut: Document[]; retention: Document[] } {
  const bytes = options.settings.evaluationTokens * options.bytesPerToken;
  return {
    heldOut: beginnings(heldOutDocuments(options.heldOut), HELD_OUT_PART * bytes),
    retention: beginnings(options.retention, (1 - HELD_OUT_PART) * bytes),
  };
}

function beginnings(documents: readonly Document[], maxBytes: number): Document[] {
  const bytes = documents.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  if (bytes <= maxBytes) return [...documents];
  return documents.map((document) => {
    const length = Math.ceil((document.text.length * maxBytes) / bytes);
    // Never between the halves of a surrogate pair.
    const cut = (document.text.charCodeAt(length) & 0xfc00) === 0xdc00 ? length + 1 : length;
    return { ...document, text: document.text.slice(0, cut) };
  });
}
