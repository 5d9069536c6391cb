/** What the proof of adaptive marks found, as numbers, lines and figures. */

import { compare, total } from "../../src/imago/measure.ts";
import type { Change } from "../../src/imago/measure.ts";
import { rowChart } from "../plot.ts";
import type { AdaptiveRun, MarkedRun, MarksFrom } from "./adaptive-arms.ts";
import type { AdaptiveTexts } from "./adaptive-groups.ts";
import { mean } from "./dose-response.ts";
import type { Bench } from "./proof.ts";
import type { ArmScores } from "./train-arm.ts";
import { byDocument } from "./whole.ts";

export type AdaptiveArm = "adaptive" | "fixed" | "permuted" | "equal";

export interface ArmRun {
  readonly seed: number;
  readonly arm: AdaptiveArm;
  readonly steps: number;
  readonly run: MarkedRun | AdaptiveRun;
}

/** A mean of paired differences and its standard error. */
interface Difference {
  readonly difference: number;
  readonly standardError: number | null;
}

interface ArmResult {
  readonly arm: AdaptiveArm;
  /** Seed by seed. */
  readonly steps: readonly number[];
  readonly macro: readonly number[];
  readonly total: readonly number[];
  readonly retention: readonly number[];
  /** Null for the adaptive arm itself; above 0 where adaptive marks are better. Errors are over groups, files and documents. */
  readonly minusAdaptive: {
    readonly macro: Difference;
    /** The same with its error over seeds. */
    readonly macroBySeed: Difference;
    readonly total: Difference;
    readonly retention: Difference;
  } | null;
}

export interface AdaptiveResult {
  readonly body: string;
  readonly recipe: string;
  readonly seeds: readonly number[];
  readonly positionsPerStep: number;
  readonly parent: { readonly macro: number; readonly total: number; readonly retention: number };
  readonly groups: readonly {
    readonly group: string;
    readonly files: { readonly trained: number; readonly steering: number; readonly measured: number };
    readonly bytes: { readonly trained: number; readonly measured: number };
    /** Bits per byte: of the parent, and of each arm, the mean over seeds. */
    readonly parent: number | null;
    readonly arms: Readonly<Record<AdaptiveArm, number | null>>;
    /** Its mark after the last decision, seed by seed. */
    readonly marks: readonly number[];
  }[];
  readonly arms: readonly ArmResult[];
  /** What measuring took, seed by seed: sequences of training, part of those trained, seconds of the gradients. */
  readonly measuring: readonly {
    readonly gradients: number;
    readonly scoring: number;
    readonly share: number;
    readonly seconds: number;
  }[];
  readonly marks: readonly (readonly MarksFrom[])[];
}

const arms = ["adaptive", "fixed", "permuted", "equal"] as const satisfies readonly AdaptiveArm[];

export function summariseAdaptive(
  { body, seeds }: Bench,
  {
    texts,
    parent,
    runs,
  }: { readonly texts: AdaptiveTexts; readonly parent: ArmScores; readonly runs: readonly ArmRun[] },
): AdaptiveResult {
  const { names } = texts.groups;
  const of = (arm: AdaptiveArm): ArmRun[] => runs.filter((run) => run.arm === arm);
  const measuredOf = (scores: ArmScores, name: string): number | null => {
    const own = scores.heldOut.filter(({ group }) => group === name);
    return own.length === 0 ? null : total(own);
  };
  const groups = names.map((group, i) => {
    const files = texts.trained.filter(({ gene }) => texts.groups.of(gene) === i);
    const measured = texts.measured.filter((document) => document.group === group);
    return {
      group,
      files: {
        trained: files.length,
        steering: texts.steering.filter((document) => document.group === group).length,
        measured: measured.length,
      },
      bytes: {
        trained: files.reduce((sum, { gene }) => sum + gene.textBytes, 0),
        measured: measured.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0),
      },
      parent: measuredOf(parent, group),
      arms: Object.fromEntries(
        arms.map((arm) => {
          const values = of(arm).flatMap(({ run }) => measuredOf(run.scores, group) ?? []);
          return [arm, values.length === 0 ? null : mean(values)];
        }),
      ) as Record<AdaptiveArm, number | null>,
      marks: of("adaptive").map(({ run }) => run.marks.at(-1)!.marks[i]!),
    };
  });
  const macro = (scores: ArmScores): number => mean(names.flatMap((name) => measuredOf(scores, name) ?? []));
  const all = (arm: AdaptiveArm, text: keyof ArmScores) => byDocument(of(arm).flatMap(({ run }) => run.scores[text]));
  const against = (arm: AdaptiveArm, text: keyof ArmScores): Difference =>
    plain(compare(all("adaptive", text), all(arm, text)));
  const { sequence, sequences } = body.recipe;
  return {
    body: body.name,
    recipe: body.recipe.name,
    seeds,
    positionsPerStep: sequence * sequences,
    parent: { macro: macro(parent), total: total(parent.heldOut), retention: total(parent.retention) },
    groups,
    arms: arms.map((arm): ArmResult => {
      const own = of(arm);
      const macros = own.map(({ run }) => macro(run.scores));
      return {
        arm,
        steps: own.map(({ steps }) => steps),
        macro: macros,
        total: own.map(({ run }) => total(run.scores.heldOut)),
        retention: own.map(({ run }) => total(run.scores.retention)),
        minusAdaptive:
          arm === "adaptive"
            ? null
            : {
                macro: paired(groups.flatMap((group) => difference(group.arms[arm], group.arms.adaptive))),
                macroBySeed: paired(of("adaptive").map(({ run }, i) => macros[i]! - macro(run.scores))),
                total: against(arm, "heldOut"),
                retention: against(arm, "retention"),
              },
      };
    }),
    measuring: of("adaptive").map(({ run, steps }) => {
      const { measuring, summary } = run as AdaptiveRun;
      const share = (measuring.gradients + measuring.scoring) / (steps * sequences);
      return { ...measuring, share, seconds: summary.cost.seconds };
    }),
    marks: of("adaptive").map(({ run }) => run.marks),
  };
}

function plain({ difference: value, standardError }: Change): Difference {
  return { difference: value, standardError };
}

function difference(one: number | null, other: number | null): number[] {
  return one === null || other === null ? [] : [one - other];
}

function paired(differences: readonly number[]): Difference {
  const n = differences.length;
  const middle = mean(differences);
  const squares = differences.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return { difference: middle, standardError: n < 2 ? null : Math.sqrt(squares / (n - 1) / n) };
}

export function reportAdaptive(result: AdaptiveResult): string[] {
  const { groups, parent, measuring, seeds } = result;
  const steps = (arm: ArmResult): string => [...new Set(arm.steps)].join(", ");
  return [
    `seeds ${seeds.join(", ")}; steps of ${result.positionsPerStep} positions; parent: macro ${parent.macro.toFixed(4)}, total ${parent.total.toFixed(4)}, retention ${parent.retention.toFixed(4)}`,
    `measuring: ${measuring.map(({ gradients, scoring, share, seconds }) => `${gradients} + ${scoring.toFixed(0)} sequences, ${(100 * share).toFixed(1)} % of the training, ${seconds.toFixed(0)} s of gradients`).join("; ")}`,
    "",
    "| arm | steps | held-out, macro | minus adaptive (over groups; over seeds) | held-out, total | minus adaptive | retention | minus adaptive |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ...result.arms.map((arm) => {
      const { minusAdaptive: minus } = arm;
      const of = (values: readonly number[]): string =>
        `${mean(values).toFixed(4)} (${values.map((value) => value.toFixed(3)).join(", ")})`;
      return `| ${labels[arm.arm]} | ${steps(arm)} | ${of(arm.macro)} | ${minus === null ? "" : `${signed(minus.macro)}; ${signed(minus.macroBySeed)}`} | ${of(arm.total)} | ${minus === null ? "" : signed(minus.total)} | ${mean(arm.retention).toFixed(4)} | ${minus === null ? "" : signed(minus.retention)} |`;
    }),
    "",
    "| group | files trained, steering, measured | KB trained, measured | last marks | parent | adaptive | fixed | permuted | equal |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ...groups.map(({ group, files, bytes, marks, parent: before, arms: after }) => {
      const kilobytes = `${(bytes.trained / 1000).toFixed(1)}, ${(bytes.measured / 1000).toFixed(1)}`;
      const counts = `${files.trained}, ${files.steering}, ${files.measured}`;
      const values = [before, ...arms.map((arm) => after[arm])].map((value) => value?.toFixed(4) ?? "-");
      return `| ${group} | ${counts} | ${kilobytes} | ${marks.map((mark) => mark.toFixed(2)).join(", ")} | ${values.join(" | ")} |`;
    }),
  ];
}

const labels = {
  adaptive: "adaptive marks",
  fixed: "marks that stay 1",
  permuted: "the same changes, groups permuted",
  equal: "marks that make groups equal, from the start",
} as const satisfies Record<AdaptiveArm, string>;

export function drawAdaptive(result: AdaptiveResult): Record<string, string> {
  const { body, seeds, groups } = result;
  const rows = (["macro", "total", "retention"] as const).flatMap((figure) =>
    result.arms.flatMap(({ arm, minusAdaptive }) => {
      if (minusAdaptive === null) return [];
      const { difference: value, standardError } = minusAdaptive[figure];
      const error = standardError ?? 0;
      const note = signed(minusAdaptive[figure]);
      return [{ label: `${figure}: ${labels[arm]}`, value, low: value - error, high: value + error, note }];
    }),
  );
  return {
    differences: rowChart({
      title: `Against adaptive marks, at equal operations (${body})`,
      subtitle: `${seeds.length} seeds, ${groups.length} groups; above 0: adaptive is better; whiskers: one paired standard error`,
      valueLabel: "bits per byte more than with adaptive marks",
      mark: "point",
      rows,
    }),
  };
}

function signed({ difference: value, standardError }: Difference): string {
  return `${value >= 0 ? "+" : ""}${value.toFixed(4)} +- ${standardError?.toFixed(4) ?? "?"}`;
}
