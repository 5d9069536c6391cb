/** Proof 2, dose and response: does what is expressed of a group of files decide how well the body predicts that group? */

import { join } from "node:path";
import { invariant, UserError } from "../../src/errors.ts";
import type { Rule } from "../../src/epigenome/rules.ts";
import { bytesOf, dosedBytes, selectGenes } from "../../src/epigenome/select.ts";
import type { ExpressedGene } from "../../src/epigenome/select.ts";
import { sha256OfFile } from "../../src/formats/files.ts";
import { total } from "../../src/imago/measure.ts";
import { doseGroups } from "./dose-groups.ts";
import type { DoseGroup } from "./dose-groups.ts";
import { drawDose, reportDose } from "./dose-report.ts";
import type { DoseResult, GroupResult } from "./dose-report.ts";
import { assignDoses, bootstrap, doses, permutedDoses, responseAt, withinSlope } from "./dose-response.ts";
import type { Bench, Proof } from "./proof.ts";
import { encodeGenes, scoreParent, trainArm } from "./train-arm.ts";
import type { ArmScores } from "./train-arm.ts";

/** A group's training text, at most: so a run passes about once over what is expressed, and no group drowns the others. */
const GROUP_BYTES = 192 * 1024;

export const dose: Proof<DoseResult> = {
  name: "dose",
  title: "doses 0, .25, .5, 1 of groups of files against bits per byte of their held-out files, and permuted doses",
  full: { tokens: 180_000, seeds: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], scoredBytes: 64 * 1024 },
  quick: { tokens: 40_000, seeds: [1, 2, 3, 4], scoredBytes: 64 * 1024 },
  report: reportDose,
  draw: drawDose,
  async run(bench) {
    const { seeds, genome, body, say } = bench;
    if (seeds.length < doses.length) {
      throw new UserError("usage", `--seeds: ${seeds.length} runs give no slope`, {
        hint: `give a multiple of ${doses.length}, such as 1,2,3,4: in such a block a group gets every dose`,
      });
    }
    const before = await hashes(bench);
    invariant(before.genome === genome.sha256, `genome.txt has the hash ${before.genome}, not that of its manifest`);
    const { groups, dropped } = await doseGroups(genome, { maxBytes: GROUP_BYTES, heldOutBytes: bench.scoredBytes });
    say(`${groups.length} groups: ${groups.map(({ name }) => name).join(", ")}`);
    const heldOut = groups.flatMap((group) => group.heldOut);
    const store = await bench.store({
      planned: ["parent", ...seeds.map((seed) => `run-${seed}`)],
      settings: { groupBytes: GROUP_BYTES },
    });
    const parent = await store.kept("parent", () => scoreParent(bench, heldOut));
    const runs: Run[] = [];
    for (const seed of seeds) {
      const marks = assignDoses(
        groups.map(({ name }) => name),
        seed,
      );
      const expressed = express(groups, marks, seed);
      const scores = await store.kept(`run-${seed}`, async () =>
        trainArm(bench, await encodeGenes(bench, expressed.flat(), seed), {
          seed,
          heldOut,
          dir: join(store.dir, `training-${seed}`),
        }),
      );
      runs.push({ marks, bytes: expressed.map(dosedBytes), scores });
    }
    const after = await hashes(bench);
    invariant(after.genome === before.genome, `the genome was ${before.genome} and is ${after.genome}`);
    invariant(after.parent === before.parent, `the parent was ${before.parent} and is ${after.parent}`);
    const results = groups.map((group, i) => groupResult(group, i, parent, runs));
    return {
      body: body.name,
      recipe: body.recipe.name,
      steps: bench.steps,
      positionsPerStep: body.recipe.sequence * body.recipe.sequences,
      seeds,
      ...after,
      groups: results,
      dropped,
      slope: bootstrap(results, withinSlope),
      response: doses.map((dose) => ({ dose, ...bootstrap(results, (drawn) => responseAt(drawn, dose)) })),
      placebos: { within: permutedDoses(results, "within"), across: permutedDoses(results, "across") },
      wrongSign: results.filter(({ slope }) => slope.value > 0).map(({ group }) => group),
      retention: { parent: total(parent.retention), runs: runs.map(({ scores }) => total(scores.retention)) },
    };
  },
};

interface Run {
  /** Group by group, as `bytes`: of one pass. */
  readonly marks: readonly number[];
  readonly bytes: readonly number[];
  readonly scores: ArmScores;
}

async function hashes({ genome, body }: Bench): Promise<{ genome: string; parent: string }> {
  return { genome: await sha256OfFile(join(genome.dir, "genome.txt")), parent: await body.sha256() };
}

/** What is left of each group where the epigenome's own rules give it its mark. */
function express(groups: readonly DoseGroup[], marks: readonly number[], seed: number): ExpressedGene[][] {
  const rules = groups.map(({ name, repository, kind }, i): Rule => ({
    name,
    match: { repository, kind },
    mark: marks[i]!,
  }));
  const genes = groups.flatMap(({ trainable }) => trainable);
  const { expressed } = selectGenes(genes, { rules, seed, duplicates: "all" });
  return groups.map(({ repository, kind }) =>
    expressed.filter(({ gene }) => gene.repository === repository && gene.kind === kind),
  );
}

function groupResult(group: DoseGroup, index: number, parent: ArmScores, runs: readonly Run[]): GroupResult {
  const bitsOf = ({ heldOut }: ArmScores): number => total(heldOut.filter((score) => score.group === group.name));
  const series = {
    group: group.name,
    doses: runs.map(({ marks }) => marks[index]!),
    values: runs.map(({ scores }) => bitsOf(scores)),
  };
  const trainable = bytesOf(group.trainable);
  const heldOut = group.heldOut.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  return {
    ...series,
    files: { trainable: group.trainable.length, heldOut: group.heldOut.length },
    bytes: { trainable, heldOut },
    parent: bitsOf(parent),
    expressed: runs.map(({ bytes }) => bytes[index]! / trainable),
    slope: bootstrap([series], withinSlope),
  };
}
