/** Whether a genome is worth a training run: what speaks against it, from the plan's own figures. It decides nothing else. */
import { UserError } from "../errors.ts";
import type { Gene } from "../genome/manifest.ts";
import type { Plan } from "./plan.ts";

/**
 * A genome of one text cannot be measured, whatever the user accepts: nothing would be left to hold out.
 *
 * @throws UserError "unready"
 */
export function refuseCopies(
  genes: readonly Pick<Gene, "repository" | "path" | "duplicateClass" | "textSha256" | "textBytes">[],
): void {
  const files = genes.filter(({ textBytes }) => textBytes > 0);
  const texts = new Set(files.map(({ duplicateClass, textSha256 }) => duplicateClass ?? textSha256));
  if (files.length < 2 || texts.size > 1) return;
  const { repository, path } = files[0]!;
  throw new UserError(
    "unready",
    `all ${files.length} files of the genome are copies or near copies of one (${repository}/${path})`,
    { hint: "give repositories with more than one text: of one there is nothing to hold out and measure" },
  );
}

/** What speaks against training as planned, in words; nothing where all is well. */
export function unreadiness({ diet, settings, predicted }: Plan): string[] {
  const trained = diet.stages.reduce((sum, stage) => sum + stage.trained, 0);
  const step = Math.round(predicted.tokensPerStep * (1 - settings.replay.value));
  const reasons: string[] = [];
  if (trained < step) {
    const count = (value: number): string => value.toLocaleString("en");
    reasons.push(
      `the genome is too small: one pass trains ${count(trained)} tokens of it, one optimiser step takes ${count(step)}`,
    );
  }
  return reasons;
}

/**
 * Refuses a plan that something speaks against.
 *
 * @param accepted whether the user wants it all the same: then the reasons are warnings
 * @returns warnings
 * @throws UserError "unready"
 */
export function refuseUnready(reasons: readonly string[], accepted: boolean): readonly string[] {
  if (reasons.length === 0 || accepted) return reasons;
  throw new UserError("unready", reasons.join("; "), {
    hint: "give more or other repositories, or --unready to train all the same",
  });
}
