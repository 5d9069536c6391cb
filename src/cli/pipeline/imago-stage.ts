/** The last stage of a run: merge, export, open the export again, measure it, report. */

import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Plan } from "../../blueprint/plan.ts";
import { planHash } from "../../blueprint/plan.ts";
import type { HeldOutRecord } from "../../epigenome/heldout-records.ts";
import type { Document } from "../../eval/bits-per-byte.ts";
import { atomicWrite, canonicalJson, sha256OfFile, syncFolder } from "../../formats/files.ts";
import { packageVersion } from "../../formats/package-root.ts";
import type { LockedRepository } from "../../genome/manifest.ts";
import { writeCard } from "../../imago/card.ts";
import { exportType, judgeRounding, ROUNDING_LIMIT, writeImago } from "../../imago/export.ts";
import type { Rounding } from "../../imago/export.ts";
import { measure, measureHeldOut } from "../../imago/measure.ts";
import type { MeasureOptions, Measures } from "../../imago/measure.ts";
import { outcomeNotes, riseText } from "../../imago/outcome.ts";
import { buildReport, readLosses } from "../../imago/report.ts";
import type { Report, RetentionSource } from "../../imago/report.ts";
import { emerge } from "./emerge.ts";
import type { EmergeOptions } from "./emerge.ts";
import { modelName } from "./inputs.ts";
import type { Instruct } from "./inputs.ts";
import { openModel } from "../model.ts";
import { PARENT_TEXT } from "./nest-files.ts";
import type { Nest } from "./nest.ts";
import { RECORD_FILES } from "./parent-record.ts";
import { writtenFiles } from "./synthesis.ts";

export interface ImagoOptions extends EmergeOptions {
  readonly plan: Plan;
  readonly before: Measures;
  readonly heldOut: readonly HeldOutRecord[];
  readonly retention: readonly Document[];
  readonly retentionSource: RetentionSource;
  readonly repositories: readonly LockedRepository[];
  /** Names what is being done now. */
  readonly onWork: (work: "merging" | "exporting") => void;
  readonly onMeasuring: (done: number, total: number) => void;
  /** Seconds of this stage so far. */
  readonly elapsed: () => number;
}

const UNFINISHED = "imago-unfinished";

/** How everything in a run is measured in full. */
export function measureOptions(
  options: Pick<ImagoOptions, "settings" | "heldOut" | "retention" | "onMeasuring" | "signal">,
): MeasureOptions {
  const { settings, heldOut, retention, onMeasuring: onProgress, signal } = options;
  const { window, sequence, microBatch, threads, seed } = settings;
  const batch = Math.max(1, Math.floor((microBatch * sequence) / window));
  return { heldOut, retention, window, batch, threads, seed, onProgress, signal };
}

/** Makes `imago/` of the best checkpoint and measures it; the folder appears when all of it is there. */
export async function finishImago(options: ImagoOptions): Promise<Report> {
  const { nest, before, settings, onWork } = options;
  const folder = nest.path(UNFINISHED);
  await rm(folder, { recursive: true, force: true });
  onWork("merging");
  const { outcome, model: trained } = await emerge(options);
  for (const note of outcomeNotes(outcome)) nest.warn(note);
  const wanted = nest.request.mergeDtype;
  let dtype = exportType(wanted, trained.parentType);
  const tokenizer = options.instruct?.tokenizer ?? options.tokenizer;
  const exact = dtype === "F32" ? undefined : await measureHeldOut(trained, tokenizer, measureOptions(options));
  const write = async (): Promise<Measures> => {
    onWork("exporting");
    await writeImago(folder, { ...trained, tokenizer, dtype });
    const written = await openModel(folder);
    return measure(written.body, written.tokenizer, measureOptions(options));
  };
  let after = await write();
  let rounding: Rounding | null = null;
  if (exact !== undefined) {
    rounding = judgeRounding(before.bitsPerByte, exact, after.bitsPerByte);
    if ((rounding.lost ?? 0) > ROUNDING_LIMIT) {
      const cost = `rounding to ${dtype} costs ${(100 * rounding.lost!).toFixed(1)} % of the gain`;
      if (wanted === "parent") {
        nest.warn(`${cost}, so the export is in F32`);
        dtype = "F32";
        after = await write();
      } else nest.warn(`${cost}; --merge-dtype f32 avoids it`);
    }
  }
  const rise = after.retentionBitsPerByte / before.retentionBitsPerByte - 1;
  if (rise > (settings.keep?.retention ?? Infinity)) {
    nest.warn(`retention rose by ${riseText(rise)} on the whole text: the budget was watched on a sample of it`);
  }
  const report = buildReport({
    ...options,
    outcome,
    version: packageVersion(),
    after,
    separator: options.tokenizer.separator,
    losses: await readLosses(nest.path("chrysalis", "events.jsonl")),
    exported: { wanted, dtype, rounding },
    repair: options.instruct && (await measureInstruct(options.instruct, options)),
    parent: modelName(nest.request.model),
    peakMemoryBytes: await nest.peakMemoryBytes(),
    seconds: nest.seconds() + options.elapsed(),
    warnings: nest.warnings,
  });
  await atomicWrite(join(folder, "report.json"), canonicalJson(report));
  await atomicWrite(join(folder, "README.md"), writeCard(report));
  await rm(nest.path("imago"), { recursive: true, force: true });
  await rename(folder, nest.path("imago"));
  await syncFolder(nest.dir);
  return report;
}

/** How the instruct model itself stands, which the repaired one is to be compared with. */
async function measureInstruct({ path, sha256 }: Instruct, options: ImagoOptions): Promise<Report["repair"]> {
  const { body, tokenizer } = await openModel(path);
  const { bitsPerByte, retentionBitsPerByte } = await measure(body, tokenizer, measureOptions(options));
  return { instruct: modelName(path), sha256, bitsPerByte, retentionBitsPerByte };
}

/** The nest's manifest, the last thing that a run writes: what went in and what came out, by hash; no time. */
export async function writeNestManifest(nest: Nest, plan: Plan): Promise<void> {
  // plan.json holds what was measured on the way; what of it decides the result is the plan's hash, below.
  const outputs = ["heldout.jsonl", "retention.jsonl", "imago/config.json", "imago/model.safetensors"];
  if (existsSync(nest.path(PARENT_TEXT))) outputs.push(PARENT_TEXT);
  outputs.push(...writtenFiles(nest));
  if (existsSync(nest.path("imago", "adapter"))) outputs.push("imago/adapter/adapter_model.safetensors");
  outputs.push(...RECORD_FILES.filter((name) => existsSync(nest.path(name))));
  const files: Record<string, string> = {};
  for (const name of outputs) files[name] = await sha256OfFile(nest.path(name));
  const { model, genome, data, blueprint } = plan.inputs;
  const manifest = {
    schema: 1,
    tool: { name: "symbiotic-chrysalis", version: packageVersion() },
    seed: plan.settings.seed.value,
    inputs: {
      model: model.sha256,
      genome: genome.sha256,
      ...(data && { data: data.map(({ name, sha256 }) => ({ name, sha256 })) }),
      blueprint: blueprint.sha256,
      plan: planHash(plan),
    },
    files,
  };
  await atomicWrite(nest.path("manifest.json"), canonicalJson(manifest));
}
