/** Adaptive marks of a run: its groups of files, the stream that follows their marks, and what is measured for them. */

import { join } from "node:path";
import type { Settings } from "../../blueprint/plan.ts";
import { createAdaptation } from "../../chrysalis/marks/adaptation.ts";
import type { Adaptation } from "../../chrysalis/marks/adaptation.ts";
import { createProbeStep } from "../../chrysalis/marks/probe-step.ts";
import { groupsOf } from "../../epigenome/marks/groups.ts";
import { createMarkedStream } from "../../epigenome/marks/marked-stream.ts";
import type { MarkedStream } from "../../epigenome/marks/marked-stream.ts";
import { encodeCorpus, packCorpus } from "../../epigenome/pack.ts";
import type { StreamOptions } from "../../epigenome/stream.ts";
import type { DocumentScore } from "../../eval/bits-per-byte.ts";
import { scoreByGroup } from "../../eval/macro.ts";
import type { Body } from "../../models/body.ts";
import type { Step, StepOptions } from "../../models/step.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import type { InterimTexts } from "./interim.ts";
import type { StageCorpus } from "./stage-corpora.ts";

export interface AdaptiveMarksOptions {
  readonly adapt: NonNullable<Settings["adapt"]>;
  /** Of the run's training. */
  readonly dir: string;
  readonly body: Body;
  readonly tokenizer: Tokenizer;
  readonly stage: StageCorpus;
  readonly texts: InterimTexts;
  readonly step: Step;
  /** As `step` was compiled. */
  readonly compiled: Omit<StepOptions, "B">;
  readonly stream: Omit<StreamOptions, "order">;
}

export interface AdaptiveMarks extends Adaptation {
  readonly stream: MarkedStream;
  /** Hears the scores of the held-out documents in each evaluation. */
  readonly onHeldOut: (scores: readonly DocumentScore[]) => void;
  release(): Promise<void>;
}

/**
 * Opens the marks of a run, those that it has decided already included.
 *
 * @throws UserError `damaged`
 */
export async function openAdaptiveMarks(options: AdaptiveMarksOptions): Promise<AdaptiveMarks> {
  const { adapt, body, tokenizer, stage, texts, step } = options;
  const groups = groupsOf([...new Set(stage.genes.map(({ gene }) => gene))]);
  const packed = packCorpus(stage.corpus, step.T, { groupOf: (document) => groups.of(stage.genes[document]!.gene)! });
  const stream = createMarkedStream(packed, { ...options.stream, count: groups.names.length });
  const probe = createProbeStep(body, step, options.compiled);
  let heldOut: readonly (number | null)[] = [];
  const adaptation = await createAdaptation({
    adapt,
    path: join(options.dir, "marks.jsonl"),
    seed: options.stream.seed,
    groups: groups.names,
    stream,
    packed,
    heldOut: () => heldOut,
    probe: adapt.stress
      ? { step: () => probe.current(), reference: packCorpus(await encodeCorpus(texts.retention, tokenizer), step.T) }
      : undefined,
  });
  return {
    ...adaptation,
    stream,
    onHeldOut(scores) {
      const groupOf = (index: number): string => String(groups.of(texts.heldOutFiles[index]!) ?? "none");
      const known = new Map(scoreByGroup(scores, (_, index) => groupOf(index)).map((of) => [of.group, of]));
      heldOut = groups.names.map((_, group) => {
        const score = known.get(String(group));
        return score === undefined || score.bytes === 0 ? null : score.bitsPerByte;
      });
    },
    release: () => probe.release(),
  };
}
