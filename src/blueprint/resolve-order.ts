/** The order of the text in a pass, with what a recipe leaves open filled in. */
import { shuffled } from "../epigenome/order.ts";
import type { Order } from "../epigenome/order.ts";
import type { Planned } from "./plan.ts";
import type { Blueprint } from "./schema.ts";

/** As a warm-up only: what arXiv 2506.11300 found to help, and no more of the run than its learning rate needs to settle. */
const WARMUP = 0.2;

export function resolveOrder({ name, order }: Blueprint): Planned<Order> {
  if (order === undefined) return { value: shuffled, origin: "default", reason: "a seeded shuffle in every pass" };
  const { by = "shuffle", part = WARMUP, repeatHard = null } = order;
  return {
    value: { by, part: by === "shuffle" ? 0 : part, repeatHard },
    origin: "recipe",
    reason: by !== "shuffle" && order.part === undefined ? `${name} (part: a warm-up, by default)` : name,
  };
}
