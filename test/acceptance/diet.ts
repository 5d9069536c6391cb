/** What a finished run trained on, decided again from its genome and plan: the nest lists held-out files only. */

import { join } from "node:path";
import { readPlan, settingsOf } from "../../src/blueprint/plan.ts";
import { expressAsPlanned } from "../../src/cli/pipeline/planning.ts";
import { readGeneralText } from "../../src/epigenome/texts.ts";
import { bytesOf } from "../../src/epigenome/select.ts";
import { openGenome } from "../../src/genome/manifest.ts";
import type { Gene } from "../../src/genome/manifest.ts";
import type { Checks } from "./checks.ts";
import { isMarkdown } from "./figures.ts";

const CSV_SHARE = 0.2;
/** Kinds that no blueprint lets in, so Markdown of these kinds is rightly missing. */
const NEVER_TRAINED = ["lock", "minified", "generated", "vendored", "backup"];

export function isBackup({ repository }: { readonly repository: string }): boolean {
  return /(^|\/)asi-backups$/.test(repository);
}

export function isGameLog({ path }: { readonly path: string }): boolean {
  return /(^|\/)game-logs?\//i.test(path);
}

/** Checks that the run was fed all Markdown, at most a fifth of CSV by bytes, and neither game logs nor backups. */
export async function checkDiet(
  checks: Checks,
  of: string,
  nest: string,
  general: { readonly retention: string; readonly replay: string },
): Promise<void> {
  const plan = await readPlan(join(nest, "plan.json"));
  const settings = settingsOf(plan);
  const genome = await openGenome(join(nest, "genome"));
  try {
    const { trained, heldOut, silent } = await expressAsPlanned(genome, settings, {
      retention: (await readGeneralText(general.retention)).documents,
      replay: (await readGeneralText(general.replay)).documents,
    });
    const { trainedFiles, heldOutFiles } = plan.inputs.genome;
    const planned = `${trainedFiles} trained, ${heldOutFiles} held out`;
    const again = `${trained.length} trained, ${heldOut.length} held out`;
    checks.add(of, "files, decided again", again, `as planned: ${planned}`, again === planned);
    const csv = bytesOf(trained.filter(({ path }) => /\.csv$/i.test(path))) / bytesOf(trained);
    checks.add(of, "CSV in the trained bytes", `${(100 * csv).toFixed(2)} %`, "at most 20 %", csv <= CSV_SHARE);
    const unwanted = trained.filter((gene) => isBackup(gene) || isGameLog(gene) || gene.kind === "log");
    checks.add(of, "backups and logs trained on", count(unwanted), "none", unwanted.length === 0);
    const allowed = new Set(["held out", "copy of a held-out file", "duplicate", "empty", ...NEVER_TRAINED]);
    const missing = silent.filter(({ gene, reason }) => isMarkdown(gene) && !isBackup(gene) && !allowed.has(reason));
    const markdown = trained.filter(isMarkdown);
    checks.add(
      of,
      "Markdown trained on",
      `${markdown.length} files, ${Math.round(bytesOf(markdown) / 1000)} KB, ${count(missing.map(({ gene }) => gene))} left out`,
      "all that is neither held out nor a copy",
      markdown.length > 0 && missing.length === 0,
    );
  } finally {
    await genome.close();
  }
}

function count(genes: readonly Gene[]): string {
  const first = genes[0];
  return first === undefined ? "0" : `${genes.length} (${first.repository}/${first.path} ...)`;
}
