/** The training stage of a run: the plan's settings put to the loop. */

import type { Plan, Settings } from "../../blueprint/plan.ts";
import { planHash } from "../../blueprint/plan.ts";
import { checkpointName } from "../../chrysalis/checkpoint.ts";
import type { TrainEvent } from "../../chrysalis/events.ts";
import { createAdamW } from "../../chrysalis/optimisers/adamw.ts";
import { createMuon, NEWTON_SCHULZ } from "../../chrysalis/optimisers/muon.ts";
import type { Optimiser } from "../../chrysalis/optimisers/optimiser.ts";
import type { TrainResult } from "../../chrysalis/train-options.ts";
import { train } from "../../chrysalis/train.ts";
import { packInOrder } from "../../epigenome/order.ts";
import { packCorpus } from "../../epigenome/pack.ts";
import { createStagedStream } from "../../epigenome/staged-stream.ts";
import { createStream } from "../../epigenome/stream.ts";
import { packageVersion } from "../../formats/package-root.ts";
import { hash32 } from "../../formats/random.ts";
import type { Training } from "../../imago/report.ts";
import { promptOf } from "../../imago/sample.ts";
import { createGenerator } from "../../inference/generate.ts";
import type { LoraOptions } from "../../models/adapter.ts";
import type { Body } from "../../models/body.ts";
import type { ModelConfig } from "../../models/config.ts";
import { rateOf, scalesOf } from "../../models/module-marks.ts";
import { createNewtonSchulz } from "../../models/newton-schulz.ts";
import { compileStep } from "../../models/step.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import { openAdaptiveMarks } from "./adaptive-marks.ts";
import { scoreInterim } from "./interim.ts";
import type { InterimTexts } from "./interim.ts";
import type { ReplayCorpus } from "./replay.ts";
import type { ParentRecord } from "./parent-record.ts";
import type { StageCorpus } from "./stage-corpora.ts";

export interface TrainingOptions {
  readonly plan: Plan;
  readonly settings: Settings;
  /** The parent as loaded; full training changes its weights. */
  readonly body: Body;
  readonly tokenizer: Tokenizer;
  readonly stages: readonly StageCorpus[];
  /** What order and selection go by. */
  readonly record: ParentRecord;
  readonly replay: ReplayCorpus | undefined;
  /** Of the questions that the parent asked itself; they are in the stages. */
  readonly pairsSha256: string | undefined;
  readonly texts: InterimTexts;
  readonly dir: string;
  readonly resume: boolean;
  readonly resumeWith: string;
  readonly onEvent: (event: TrainEvent) => void;
  readonly signal: AbortSignal;
}

const SAMPLE_TOKENS = 40;

export function loraOf({ lora, seed, modules }: Settings, config: ModelConfig): LoraOptions | undefined {
  if (lora === null) return undefined;
  const scales = scalesOf(modules, config, lora);
  return { ...lora, seed, ...(scales === undefined ? {} : { scales }) };
}

/** The optimiser of a plan; it may own native sessions: release it. */
export function createOptimiser(
  { optimizer, betas: [beta1, beta2], epsilon, weightDecay, threads }: Settings,
  parameters: Parameters<typeof createAdamW>[0],
): { readonly optimiser: Optimiser; release(): Promise<void> } {
  const adam = { beta1, beta2, epsilon, weightDecay };
  if (optimizer === "adamw") return { optimiser: createAdamW(parameters, adam), release: () => Promise.resolve() };
  const solver = createNewtonSchulz({ ...NEWTON_SCHULZ, threads });
  return { optimiser: createMuon(parameters, { ...adam, orthogonalise: solver.run }), release: () => solver.release() };
}

/**
 * Trains as planned, or goes on with it, and leaves the checkpoints in `dir`.
 *
 * @throws UserError "diverged", "interrupted", "mismatch", "disk"
 */
export async function trainAsPlanned(options: TrainingOptions): Promise<Training> {
  const { plan, settings, body, tokenizer, replay } = options;
  const { threads, sequence: T, microBatch: B, microBatches } = settings;
  const lora = loraOf(settings, body.config);
  const trained = lora === undefined ? "full" : { lora };
  const compiled = { T, train: trained, rateOf: rateOf(settings.modules), threads } as const;
  const step = await compileStep(body, { ...compiled, B });
  const { optimiser, release: releaseOptimiser } = createOptimiser(settings, step.parameters);
  const generator = createGenerator(body, {
    threads,
    ...(lora === undefined ? {} : { adapter: { lora, parameters: step.parameters } }),
  });
  const prompt = promptOf(options.texts.heldOut, tokenizer, body.config.maxPositions);
  const { model, genome } = plan.inputs;
  const packedReplay = replay && { corpus: packCorpus(replay.corpus, T), share: replay.share };
  const stages = options.stages.map((stage, k) => ({
    ...stage,
    corpus: { ...stage.corpus, reference: options.record.losses?.[k] },
  }));
  const { adapt, seed } = settings;
  const streamed = { B, microBatches, seed, ...(packedReplay ? { replay: packedReplay } : {}) };
  const marks =
    adapt === null
      ? undefined
      : await openAdaptiveMarks({ ...options, adapt, stage: stages[0]!, step, compiled, stream: streamed });
  const stream = createStagedStream(
    stages.map(({ corpus }, stage) => {
      // Marks change in recipes of one stage alone.
      if (marks !== undefined) return marks.stream;
      // Of one seed, two stages would begin with the same replay.
      const own = stage === 0 ? seed : hash32(seed, "stage", stage, 0);
      const difficulty = options.record.difficulty[stage];
      const { packed, order } = packInOrder(corpus, { T, seed: own, order: settings.order, difficulty });
      return createStream(packed, { ...streamed, seed: own, order });
    }),
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
      select: settings.select ?? undefined,
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
        ...(options.pairsSha256 === undefined ? {} : { pairs: options.pairsSha256 }),
        ...options.record.files,
        seed: settings.seed,
        threads,
      },
      evaluation: {
        times: settings.evaluations,
        evaluate: () => scoreInterim(step, tokenizer, options.texts, marks?.onHeldOut),
        async sample() {
          const stop = tokenizer.stop;
          const ids = await generator.generate(prompt.ids, { maxTokens: SAMPLE_TOKENS, stop });
          return tokenizer.decode(ids);
        },
      },
      // An early end would take their time from the stages that are still to come; a blend brings back what is over.
      ...(settings.keep === null
        ? {}
        : { keep: { budget: settings.keep, hasten: settings.stages.length === 1 && settings.blend === null } }),
      ...(marks === undefined ? {} : { adapt: marks }),
      checkpointEvery: settings.checkpoint,
      onEvent: options.onEvent,
      signal: options.signal,
      resumeWith: options.resumeWith,
    });
    const { steps, tokens, tokensPerSecond, seconds, evaluations, best, lowest } = result;
    // Evaluations are always planned, so there is a best one.
    const kept = { best: checkpointOf(best!), lowest: checkpointOf(lowest!) };
    return { steps, tokens, tokensPerSecond, seconds, evaluations, ...kept, marks: marks?.summary() ?? null };
  } finally {
    await marks?.release();
    await generator.release();
    await releaseOptimiser();
    await step.release();
  }
}

function checkpointOf({ evaluation, checkpoint }: NonNullable<TrainResult["best"]>): Training["best"] {
  return { ...evaluation, checkpoint: checkpoint === undefined ? null : checkpointName(evaluation.step) };
}
