/** Blobs that a repository cannot give as it should: recorded, told, and refused in one wording. */
import { UserError } from "../../errors.ts";
import { damageInWords } from "../cat-file.ts";
import type { Damage } from "../objects.ts";

/** One file of a repository whose blob is not what its id says. */
export interface DamageRecord {
  /** The repository's name in the genome. */
  readonly repository: string;
  /** In the form of genome.txt. */
  readonly path: string;
  readonly blob: string;
  readonly damage: Damage;
}

const shown = 3;

/** One damaged file in one line: `repository: path: blob ID is absent`. */
export function describeDamage({ repository, path, blob, damage }: DamageRecord): string {
  return `${repository}: ${path}: blob ${blob} ${damageInWords(damage)}`;
}

/**
 * The refusal of a build that met damaged blobs, naming the first three.
 *
 * @param hint how to get the objects back
 */
export function damageError(records: readonly DamageRecord[], hint: string): UserError {
  const more = records.length - shown;
  const lines = records.slice(0, shown).map(describeDamage);
  return new UserError("damaged", [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join("; "), { hint });
}
