/** What the stages of the main job share. */

import type { Plan, Settings } from "../../blueprint/plan.ts";
import type { HeldOutRecord } from "../../epigenome/heldout-records.ts";
import type { Document } from "../../eval/bits-per-byte.ts";
import type { Body } from "../../models/body.ts";
import { loadBody } from "../../models/load.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import type { PipelineOptions } from "./events.ts";
import type { Inputs } from "./inputs.ts";
import type { InterimTexts } from "./interim.ts";
import type { Nest } from "./nest.ts";
import type { ExpressedTexts } from "./planning.ts";

/** What a run carries in memory from stage to stage; every stage can do without by reading it again. */
export interface Carried {
  body?: Body;
  texts?: ExpressedTexts;
}

/** What is known of a run once it is planned and measured. */
export interface Shared {
  readonly nest: Nest;
  readonly inputs: Inputs;
  /** The parent's, without a chat template that the recipe adds. */
  readonly ownTokenizer: Tokenizer;
  readonly plan: Plan;
  readonly settings: Settings;
  readonly heldOut: readonly HeldOutRecord[];
  readonly retention: readonly Document[];
  readonly interim: InterimTexts;
  readonly carried: Carried;
  readonly options: PipelineOptions;
}

/** Begins to count; gives the seconds since. */
export const stopwatch = (): (() => number) => {
  const began = performance.now();
  return () => (performance.now() - began) / 1000;
};

/** The parent, loaded when it is first asked for. */
export async function bodyOf({ request }: Nest, carried: Carried, { onEvent }: PipelineOptions): Promise<Body> {
  if (carried.body === undefined) {
    onEvent({ type: "work", work: "loading" });
    carried.body = await loadBody(request.model);
  }
  return carried.body;
}
