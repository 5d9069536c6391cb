/** What the evidence says of a blueprint's values: a table of ranges with their sources. It warns and refuses nothing. */
import type { Blueprint } from "./schema.ts";

interface Finding {
  readonly path: readonly string[];
  readonly message: string;
}

interface Range {
  readonly path: readonly string[];
  /** The value to judge; undefined where it is not written or the evidence does not speak of it. */
  readonly value: (of: Blueprint) => number | undefined;
  /** Both ends included; either depends on the recipe where the evidence does. */
  readonly from: (of: Blueprint) => number;
  readonly to: (of: Blueprint) => number;
  readonly because: (of: Blueprint) => string;
}

/** Full training of bodies up to this size was measured on a larva; above it published rates count. */
const SMALL = 50e6;
/** Bodies below it were found to gain from easy to hard. */
const WARMED_UP = 300e6;
const isSmall = ({ applies }: Blueprint): boolean => (applies?.parameters?.below ?? Infinity) <= SMALL;
const always = (value: number) => (): number => value;

const ranges: readonly Range[] = [
  {
    path: ["lora", "rank"],
    value: ({ lora }) => lora?.rank,
    from: always(16),
    to: always(64),
    because: () => "rank 16 to 64 is enough up to 50 million tokens (thinkingmachines.ai/blog/lora)",
  },
  {
    path: ["optimizer", "learningRate"],
    value: ({ method, optimizer }) =>
      method === "lora" && (optimizer.name ?? "adamw") === "adamw" ? optimizer.learningRate : undefined,
    from: always(1e-4),
    to: always(1e-3),
    because: () => "an adapter takes 10 to 15 times the rate of full training (thinkingmachines.ai/blog/lora)",
  },
  {
    path: ["optimizer", "learningRate"],
    value: ({ method, optimizer }) =>
      method === "full" && (optimizer.name ?? "adamw") === "adamw" ? optimizer.learningRate : undefined,
    from: (of) => (isSmall(of) ? 3.5e-4 : 1e-5),
    to: (of) => (isSmall(of) ? 1e-3 : 2e-5),
    because: (of) =>
      isSmall(of)
        ? "measured on bodies of 4 and 6 million parameters (docs/log.md)"
        : "larger rates forget what the body knew (arXiv 2405.09673)",
  },
  {
    path: ["replay"],
    value: ({ replay }) => replay,
    from: always(0.01),
    to: always(0.3),
    because: () => "1 % prevents most forgetting (arXiv 2502.06042), 30 % is the most that was measured",
  },
  {
    path: ["epochs", "max"],
    value: ({ epochs }) => epochs?.max,
    from: always(0),
    to: always(4),
    because: () => "repeating text more than four times gains next to nothing (arXiv 2305.16264)",
  },
  {
    path: ["schedule", "decay"],
    value: ({ schedule }) => schedule?.decay,
    from: always(0.1),
    to: always(0.4),
    because: () => "a tenth is what was published (arXiv 2404.06395), 0.4 what short runs were measured with",
  },
];

/** Warnings about values outside what was measured or published, each with the key's path. */
export function outsideEvidence(blueprint: Blueprint): Finding[] {
  const findings = ranges.flatMap(({ path, value, from, to, because }): Finding[] => {
    const written = value(blueprint);
    const [low, high] = [from(blueprint), to(blueprint)];
    if (written === undefined || (written >= low && written <= high)) return [];
    const allowed = low === 0 ? `at most ${high}` : `${low} to ${high}`;
    const message = `${path.join(".")} is ${written}, the evidence is for ${allowed}: ${because(blueprint)}`;
    return [{ path, message }];
  });
  if (blueprint.adapt !== undefined) {
    const message = "adapt was measured to do worse than marks that stay, at equal operations (docs/log.md)";
    findings.push({ path: ["adapt"], message });
  }
  const targets = blueprint.lora?.targets;
  if (targets !== undefined && !targets.some((name) => ["gate_proj", "up_proj", "down_proj"].includes(name))) {
    const message =
      "lora.targets leaves the MLP out: attention alone is worse at equal parameters (thinkingmachines.ai/blog/lora)";
    findings.push({ path: ["lora", "targets"], message });
  }
  const { by = "shuffle", part } = blueprint.order ?? {};
  if (by !== "shuffle" && ((blueprint.applies?.parameters?.below ?? Infinity) > WARMED_UP || part === 1)) {
    const message = `order.by is ${by}${part === 1 ? " in the whole first pass" : ""}: easy to hard was found to help as a warm-up, and bodies below 300 million parameters (arXiv 2506.11300)`;
    findings.push({ path: ["order", "by"], message });
  }
  return findings;
}
