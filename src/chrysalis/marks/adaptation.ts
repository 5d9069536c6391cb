/** Adaptive marks in a training: measured after evaluations, decided, written to `marks.jsonl`, and only then used. */

import { UserError } from "../../errors.ts";
import { decideMarks, untouched } from "../../epigenome/marks/adapt.ts";
import type { Adapt, Cosine, Observation, Standing } from "../../epigenome/marks/adapt.ts";
import type { MarkedStream } from "../../epigenome/marks/marked-stream.ts";
import type { PackedCorpus } from "../../epigenome/pack.ts";
import type { Step } from "../../models/step.ts";
import type { AdaptMoment } from "../train-options.ts";
import { interference } from "./interference.ts";
import { changesIn, openMarksLog } from "./marks-log.ts";
import type { MarkChange, MarksLine } from "./marks-log.ts";
import { chooseProbes, groupParts, OF_GROUP, referenceParts } from "./probes.ts";

/** How gradients are measured. */
export interface GradientProbe {
  /** A step of one sequence at the weights as they are now; its gradients are written over. */
  readonly step: () => Promise<Pick<Step, "accumulate" | "parameters">>;
  /** The retention text. */
  readonly reference: PackedCorpus;
}

export interface AdaptationOptions {
  readonly adapt: Adapt;
  /** `marks.jsonl` of the run. What it holds already is used again, not measured again. */
  readonly path: string;
  readonly seed: number;
  /** Names, in the order of the stream's groups. */
  readonly groups: readonly string[];
  readonly stream: MarkedStream;
  /** What `stream` is packed from, by groups. */
  readonly packed: PackedCorpus;
  /** Held-out bits per byte of each group by the evaluation just made; null for a group without. */
  readonly heldOut: () => readonly (number | null)[];
  /** Needed for stress. */
  readonly probe: GradientProbe | undefined;
  /** Monotonic time in seconds. */
  readonly clock?: () => number;
}

/** What a training's marks came to. */
export interface MarksSummary {
  readonly groups: number;
  readonly changes: readonly MarkChange[];
  /** What measuring gradients took: sequences forward and backward, and seconds. */
  readonly cost: MarksLine["cost"];
}

export interface Adaptation {
  /** @throws UserError `damaged` where marks that were used already are gone */
  resumed(evaluated: readonly number[]): void;
  /** Takes the decision that falls due before step `step`, or finds it taken; what it changes holds from then on. */
  after(moment: AdaptMoment): Promise<readonly MarkChange[]>;
  summary(): MarksSummary;
}

/**
 * Gives a stream the marks that its run has decided already, and decides on further ones. Marks follow from `marks.jsonl`
 * alone: a stream that is given its lines gives the same batches, and a resumed run repeats them.
 *
 * @throws UserError `damaged` where the file is of other groups
 */
export async function createAdaptation(options: AdaptationOptions): Promise<Adaptation> {
  const { groups, stream } = options;
  const log = await openMarksLog(options.path, groups);
  const use = ({ step, groups: decided }: MarksLine): void =>
    stream.mark(
      step,
      decided.map(({ mark }) => mark),
    );
  for (const line of log.decisions) use(line);
  return {
    resumed(evaluated) {
      const gone = evaluated.filter((at) => !log.decisions.some(({ step }) => step === at));
      if (gone.length === 0) return;
      throw new UserError("damaged", `${options.path} holds no marks of step ${gone.join(", ")}`, {
        hint: "restore the file, or start anew with another --out",
      });
    },
    async after(moment) {
      // What stands in the file was decided in an earlier process: also for steps after this one, and then not from it.
      if ((log.decisions.at(-1)?.step ?? -1) < moment.step) {
        const line = await decide(options, log.decisions, moment);
        await log.record(line);
        use(line);
      }
      return changesIn(log.decisions).filter(({ step }) => step === moment.step);
    },
    summary: () => ({
      groups: groups.length,
      changes: changesIn(log.decisions),
      cost: {
        sequences: log.decisions.reduce((sum, { cost }) => sum + cost.sequences, 0),
        seconds: log.decisions.reduce((sum, { cost }) => sum + cost.seconds, 0),
      },
    }),
  };
}

async function decide(
  options: AdaptationOptions,
  lines: readonly MarksLine[],
  { step, stepSeconds, stepsLeft }: AdaptMoment,
): Promise<MarksLine> {
  const { adapt, groups, stream, clock = () => performance.now() / 1000 } = options;
  const before = lines.at(-1);
  const heldOut = options.heldOut();
  const began = clock();
  const { cosines, sequences } = await measureStress(options, lines, step);
  const cost = { sequences, seconds: sequences === 0 ? 0 : clock() - began };
  const left = stepsLeft === null ? null : stream.slots(step + stepsLeft) - stream.slots(step);
  const taken = stream.taken(step);
  const takenBefore = before === undefined ? taken.map(() => 0) : stream.taken(before.step);
  const slots = stream.slots(step) - stream.slots(before?.step ?? 0);
  const seconds = slots === 0 ? 0 : (stepSeconds - (before?.stepSeconds ?? 0)) / slots;
  const observations = groups.map((_, i): Observation => {
    const { sequences: size, tokensPerSequence } = stream.groups[i]!;
    const trained = taken[i]! - takenBefore[i]!;
    const [was, is] = [before?.groups[i]!.heldOut ?? null, heldOut[i]!];
    return {
      gain: was === null || is === null ? null : was - is,
      tokens: trained * tokensPerSequence,
      seconds: trained * seconds,
      cosine: cosines.get(i) ?? null,
      // A pass that has just ended leaves nothing, one that has not begun all.
      unread: taken[i] === 0 ? size : (size - (taken[i]! % size)) % size,
    };
  });
  const decided = decideMarks(standingsOf(lines, groups.length), observations, { adapt, left });
  return {
    step,
    stepSeconds,
    left,
    cost,
    groups: decided.map(({ diet, stress, stopped, mark, reasons }, i) => {
      const { gain, tokens, seconds: spent, cosine, unread } = observations[i]!;
      const state = { group: groups[i]!, mark, diet, stress, stopped, reasons, heldOut: heldOut[i]! };
      return { ...state, gain, tokens, seconds: spent, cosine, unread };
    }),
  };
}

function standingsOf(lines: readonly MarksLine[], count: number): Standing[] {
  return lines.at(-1)?.groups.map((of) => of) ?? Array.from({ length: count }, () => untouched);
}

/** Cosines of the groups that can be afforded by now, and how many sequences that took. */
async function measureStress(
  { adapt, seed, stream, packed, probe }: AdaptationOptions,
  lines: readonly MarksLine[],
  step: number,
): Promise<{ cosines: ReadonlyMap<number, Cosine>; sequences: number }> {
  const nothing = { cosines: new Map<number, Cosine>(), sequences: 0 };
  if (!adapt.stress || probe === undefined) return nothing;
  const spent = lines.reduce((sum, { cost }) => sum + cost.sequences, 0);
  const allowance = adapt.cost * step * stream.B * stream.microBatches - spent;
  const candidates = stream.groups.flatMap(({ sequences }, group) => {
    const mark = lines.at(-1)?.groups[group]!.mark ?? 1;
    const seen = lines.findLast(({ groups }) => groups[group]!.cosine !== null)?.step ?? -1;
    return sequences < OF_GROUP || mark === 0 ? [] : [{ group, seen, weight: sequences * mark }];
  });
  const chosen = chooseProbes(candidates, allowance);
  const at = { seed, step };
  const reference = chosen.length === 0 ? undefined : referenceParts(probe.reference, at);
  if (reference === undefined) return nothing;
  const sequencesOf = Map.groupBy(packed.groups!.keys(), (sequence) => packed.groups![sequence]!);
  const parts = chosen.map((group) => groupParts(packed, { group, sequences: sequencesOf.get(group)! }, at));
  const found = await interference(await probe.step(), reference, parts);
  const count = [...reference, ...parts.flat()].reduce((sum, { length }) => sum + length, 0);
  return { cosines: new Map(chosen.map((group, i) => [group, found[i]!])), sequences: count };
}
