/** The order of sequences where groups have marks: how often each group comes follows its size and its mark. */
import { invariant } from "../../errors.ts";
import { permutation } from "../../formats/random.ts";
import type { PackedCorpus } from "../pack.ts";
import type { PassOrder } from "../pass-order.ts";

/** What `of(epoch)` gives is as long as a pass over all groups would be; under marks below 1 it is no longer one. */
export interface MarkedOrder extends PassOrder {
  /** Sequences of each group. */
  readonly sizes: readonly number[];
  /** From slot `from` on groups have these marks, whatever was said of slots from there on before. */
  mark(from: number, marks: readonly number[]): void;
  /** Sequences of each group in the slots before `before`. */
  taken(before: number): number[];
}

/**
 * A slot goes to the group that is owed most: in each slot every group is owed its part of the weights (sequences times
 * mark), and the one that gets it gives up one whole. Inside of a group sequences come in seeded passes of its own. So
 * the order is a function of the seed and of the marks so far: with the same marks it is the same, bit for bit.
 * All marks are 1 at first.
 *
 * @param packed with `groups`, which are numbers below `count`
 */
export function markedOrder(packed: PackedCorpus, { count, seed }: { count: number; seed: number }): MarkedOrder {
  const { groups, sequences, tokens } = packed;
  invariant(groups !== undefined && sequences > 0, "a corpus packed by groups");
  const own = Array.from({ length: count }, (): number[] => []);
  groups.forEach((group, sequence) => own[group]!.push(sequence));
  const sizes = own.map(({ length }) => length);
  const changes = [{ from: 0, weights: sizes }];
  let schedule = new Uint32Array(sequences);
  let length = 0;
  let owed = new Float64Array(sizes.length);
  let passes = own.map(notBegun);

  const restart = (): void => {
    length = 0;
    owed = new Float64Array(sizes.length);
    passes = own.map(notBegun);
  };
  const next = (group: number): number => {
    const pass = passes[group]!;
    if (pass.left.length === 0) {
      pass.epoch += 1;
      pass.left = permutation(seed, `shuffle ${group}`, pass.epoch, sizes[group]!);
    }
    const sequence = own[group]![pass.left[0]!]!;
    pass.left = pass.left.subarray(1);
    return sequence;
  };
  const generate = (until: number): void => {
    if (until > schedule.length) {
      const grown = new Uint32Array(Math.max(until, 2 * schedule.length));
      grown.set(schedule);
      schedule = grown;
    }
    while (length < until) {
      const { weights } = changes.findLast(({ from }) => from <= length)!;
      const sum = weights.reduce((a, b) => a + b, 0);
      let most = -1;
      for (const [group, weight] of weights.entries()) {
        if (weight === 0) continue;
        owed[group]! += weight / sum;
        if (most < 0 || owed[group]! > owed[most]!) most = group;
      }
      owed[most]! -= 1;
      schedule[length++] = next(most);
    }
  };
  return {
    slots: sequences,
    tokens,
    sizes,
    of(epoch) {
      generate((epoch + 1) * sequences);
      return schedule.subarray(epoch * sequences, (epoch + 1) * sequences);
    },
    mark(from, marks) {
      invariant(marks.length === sizes.length, `${marks.length} marks for ${sizes.length} groups`);
      const weights = sizes.map((size, group) => size * marks[group]!);
      invariant(
        weights.some((weight) => weight > 0),
        "some group has a mark above 0",
      );
      const earlier = changes.filter((change) => change.from < from);
      changes.splice(0, changes.length, ...earlier, { from, weights });
      // What a group is owed is known at the end of the schedule only: a changed one begins again.
      if (length > from) restart();
    },
    taken(before) {
      generate(before);
      const counts = sizes.map(() => 0);
      for (let slot = 0; slot < before; slot++) counts[groups[schedule[slot]!]!]! += 1;
      return counts;
    },
  };
}

/** A group's pass under way: which of its sequences are left, in order. */
function notBegun(): { epoch: number; left: Uint32Array } {
  return { epoch: -1, left: new Uint32Array(0) };
}
