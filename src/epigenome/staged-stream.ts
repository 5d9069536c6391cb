/** The training stream of several stages, one after the other, each with a stream of its own. */
import { invariant } from "../errors.ts";
import type { Batch } from "../models/batch.ts";
import type { Stream } from "./stream.ts";

export interface StagedStream {
  /** Stage `stage` is read from step `step` on; a later call for the same stage goes before an earlier one. */
  begin(stage: number, step: number): void;
  /** Micro-batch `micro` of optimiser step `step`, of the stage that is read then. */
  batch(step: number, micro: number): Batch;
}

/** Joins streams; the first is read until another is begun. Each counts its steps from its beginning. */
export function createStagedStream(streams: readonly Pick<Stream, "batch">[]): StagedStream {
  invariant(streams.length > 0, "a stream for every stage");
  const begins: { stage: number; step: number }[] = [{ stage: 0, step: 0 }];
  return {
    begin(stage, step) {
      invariant(stage >= 0 && stage < streams.length, `stage ${stage} of ${streams.length}`);
      const earlier = begins.filter((of) => of.stage < stage && of.step <= step);
      begins.splice(0, begins.length, ...earlier, { stage, step });
    },
    batch(step, micro) {
      const { stage, step: begun } = begins.findLast((of) => of.step <= step) ?? begins[0]!;
      return streams[stage]!.batch(step - begun, micro);
    },
  };
}
