/** The arms of "order, selection, emphasis": what each does with the same files, what that costs, and whose placebo it is. */

import type { Difficulty } from "../../src/epigenome/difficulty.ts";
import { shuffled } from "../../src/epigenome/order.ts";
import type { Order } from "../../src/epigenome/order.ts";
import { tokenClasses } from "../../src/epigenome/token-classes.ts";
import type { Emphasis } from "../../src/epigenome/token-classes.ts";
import { permutation } from "../../src/formats/random.ts";

export interface OrderArm {
  readonly name: string;
  readonly label: string;
  /** The arm whose mechanism this one runs on noise, for as many steps; null for a mechanism and for what all are compared with. */
  readonly placeboOf: string | null;
  readonly order: Order;
  /** Part of the tokens that count; null: all. */
  readonly select: number | null;
  readonly emphasis: Emphasis | null;
  /** Whether the parent reads the text first, which is paid with training. */
  readonly readsParent: boolean;
}

const plain = { placeboOf: null, order: shuffled, select: null, emphasis: null, readsParent: false };
const repeatHard: Order = { ...shuffled, repeatHard: { part: 0.2, times: 2 } };
const emphasis: Emphasis = { path: 1, number: 2, identifier: 1.5, prose: 0.8 };
const SELECTED = 0.6;

const mechanisms: readonly OrderArm[] = [
  {
    ...plain,
    name: "loss",
    label: "easy to hard by loss, half of the first pass",
    order: { ...shuffled, by: "loss", part: 0.5 },
    readsParent: true,
  },
  {
    ...plain,
    name: "compressibility",
    label: "easy to hard by compressibility, half of the first pass",
    order: { ...shuffled, by: "compressibility", part: 0.5 },
  },
  { ...plain, name: "repeat", label: "the hardest fifth twice more", order: repeatHard, readsParent: true },
  {
    ...plain,
    name: "excess",
    label: `the ${SELECTED * 100} % of the tokens with the highest excess`,
    select: SELECTED,
    readsParent: true,
  },
  { ...plain, name: "emphasis", label: "numbers 2, identifiers 1.5, prose 0.8", emphasis },
];

const noise: Readonly<Record<string, string>> = {
  loss: "permuted losses",
  compressibility: "permuted compressibility",
  repeat: "permuted losses",
  excess: "random tokens",
  emphasis: "permuted weights",
};

/** What all are compared with, and each mechanism followed by its placebo. */
export const orderArms: readonly OrderArm[] = [
  { ...plain, name: "shuffle", label: "seeded shuffle, all tokens alike" },
  ...mechanisms.flatMap((arm) => [
    arm,
    { ...arm, name: `${arm.name}-placebo`, label: noise[arm.name]!, placeboOf: arm.name },
  ]),
];

/** The same values on other documents. */
export function permutedDifficulty(difficulty: Difficulty, seed: number): Difficulty {
  return Object.fromEntries(
    Object.entries(difficulty).map(([measure, of]) => {
      const order = permutation(seed, "permuted difficulty", 0, of.length);
      return [measure, Array.from(order, (document) => of[document]!)];
    }),
  );
}

/** The same factors on other classes, each moved on by one to three places. */
export function permutedEmphasis(of: Emphasis, seed: number): Emphasis {
  const moved = 1 + (seed % (tokenClasses.length - 1));
  return Object.fromEntries(
    tokenClasses.map((name, i) => [name, of[tokenClasses[(i + moved) % tokenClasses.length]!] ?? 1]),
  );
}

export interface Costs {
  /** Of training a token and of a forward pass, in the same unit. */
  readonly train: number;
  readonly score: number;
  readonly tokensPerStep: number;
  /** Of the text that the parent reads. */
  readonly corpusTokens: number;
}

/** The steps for which the operations of `steps` plain ones suffice; a placebo has those of what it stands for. */
export function stepsOf({ readsParent, select }: OrderArm, steps: number, costs: Costs): number {
  const { train, score, tokensPerStep, corpusTokens } = costs;
  const budget = steps * tokensPerStep * train - (readsParent ? corpusTokens * score : 0);
  return Math.max(1, Math.floor(budget / (tokensPerStep * (train + (select === null ? 0 : score)))));
}
