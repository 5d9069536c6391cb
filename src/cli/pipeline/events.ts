/** What the main job tells whoever listens: terminal and tests. */

import type { Plan } from "../../blueprint/plan.ts";
import type { TrainEvent } from "../../chrysalis/events.ts";
import type { GenomeEvent } from "../../genome/events.ts";
import type { Figures } from "../../imago/measure.ts";

/** What work is going on, beside what genome and training say of themselves. */
export type Work =
  | "checking"
  | "fetching"
  | "encoding"
  | "searching"
  | "probing"
  | "loading"
  | "sampling"
  | "replay"
  | "questions"
  | "measuring"
  | "blending"
  | "merging"
  | "exporting";

export type PipelineEvent =
  | { readonly type: "work"; readonly work: Work; readonly done?: number; readonly total?: number }
  | { readonly type: "planned"; readonly plan: Plan }
  | { readonly type: "measured"; readonly when: "before" | "after"; readonly figures: Figures }
  | { readonly type: "genome"; readonly event: GenomeEvent }
  | { readonly type: "training"; readonly event: TrainEvent };

export interface PipelineOptions {
  readonly onEvent: (event: PipelineEvent) => void;
  readonly signal: AbortSignal;
}
