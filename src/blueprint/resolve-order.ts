/** The order of the text in a pass and the tokens that count, with what a recipe leaves open filled in. */
import { shuffled } from "../epigenome/order.ts";
import type { Order } from "../epigenome/order.ts";
import type { Planned, Settings } from "./plan.ts";
import type { Blueprint } from "./schema.ts";

/** As a warm-up only: what arXiv 2506.11300 found to help, and no more of the run than its learning rate needs to settle. */
const WARMUP = 0.2;

export function resolveOrder({ name, order }: Blueprint): Planned<Order> {
  if (order === undefined) return { value: shuffled, origin: "default", reason: "a seeded shuffle in every pass" };
  const { by = "shuffle", part = WARMUP, repeatHard = null, imports = false } = order;
  return {
    value: { by, part: by === "shuffle" ? 0 : part, repeatHard, imports },
    origin: "recipe",
    reason: by !== "shuffle" && order.part === undefined ? `${name} (part: a warm-up, by default)` : name,
  };
}

export function resolveSelect({ name, select }: Blueprint): Planned<Settings["select"]> {
  if (select === undefined) return { value: null, origin: "default", reason: "every token counts" };
  if (select.excess === 1) return { value: null, origin: "recipe", reason: `${name}: all tokens` };
  return { value: { excess: select.excess }, origin: "recipe", reason: name };
}
