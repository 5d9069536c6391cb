/** Held-out files: whole files that are measured and never trained on, chosen by hash so that nobody picks them. */
import picomatch from "picomatch";
import { UserError } from "../errors.ts";
import type { Gene } from "../genome/manifest.ts";
import { lineHashes, shareOf } from "./lines.ts";
import { MAX_SHARED_LINES } from "./overlap.ts";
import { byHash, bytesOf, type SilentGene } from "./select.ts";

/** A shorter file says little, and nothing in it can tell whether it is a copy. */
const MIN_BYTES = 256;

export interface HeldOutOptions {
  readonly seed: number;
  /** Glob over `repository/path`: only such files are held out (default `**`, all). */
  readonly match?: string;
  /** Aimed-at part of the eligible bytes that match. */
  readonly share: number;
  /** At least this many files where ten times as many are eligible; proportionally fewer of a smaller genome. */
  readonly minFiles: number;
  /** Limit of what is held out, in bytes of text, exceeded only to reach `minFiles`. */
  readonly maxBytes: number;
  /** Text as in genome.txt. */
  readonly text: (gene: Gene) => Promise<string>;
  /** Other texts that will be trained on: the replay. */
  readonly alsoTrained?: Iterable<string>;
}

export interface HeldOut {
  /** In the order of the hash of seed and blob. */
  readonly heldOut: readonly Gene[];
  /** What remains to be trained on, in the order of the genome. */
  readonly trained: readonly Gene[];
  /** The held-out files and every other gene of the same text. */
  readonly silent: readonly SilentGene[];
  /** Files that came up but share too many lines with training text: they stay in training and are not measured. */
  readonly tooAlike: readonly { readonly gene: Gene; readonly sharedLines: number }[];
}

/**
 * Splits the genes that are eligible for training. Candidates come in the order of the hash of seed and blob. One is
 * passed by when more than 20 % of its lines of 20 characters or more (digits and hexadecimal words masked) occur in
 * text that will be trained on: it would measure recall, so it is left to training instead. Files below 256 bytes, and
 * those above half of the aim (or the mean size, where that is more), come last and only to reach `minFiles`. Genes whose
 * text equals that of a held-out file are never trained on. Only genes that match `match` are candidates.
 *
 * @throws UserError `empty` when no file can be held out.
 */
export async function holdOut(eligible: readonly Gene[], options: HeldOutOptions): Promise<HeldOut> {
  const files = firstOfEachText(eligible);
  const lines = await countLines(files, options);
  const matches = picomatch(options.match ?? "**", { dot: true });
  const candidates = files.filter(({ repository, path }) => matches(`${repository}/${path}`));
  const ordered = byHash(candidates, options.seed, "held-out");
  const aim = Math.min(options.maxBytes, options.share * bytesOf(candidates));
  const minFiles = Math.max(1, Math.min(options.minFiles, Math.floor(candidates.length / 10)));
  // No single file may weigh too much in the figure or take too much from a small genome.
  const mean = bytesOf(candidates) / Math.max(1, candidates.length);
  const limit = Math.min(options.maxBytes / 4, Math.max(aim / 2, mean));
  const fits = ({ textBytes }: Gene): boolean => textBytes >= MIN_BYTES && textBytes <= limit;
  const others = ordered.filter((gene) => !fits(gene)).sort((a, b) => misfit(a) - misfit(b));
  const heldOut: Gene[] = [];
  const tooAlike: { gene: Gene; sharedLines: number }[] = [];
  let bytes = 0;
  for (const gene of [...ordered.filter(fits), ...others]) {
    const enough = heldOut.length >= minFiles;
    if (enough && (bytes >= aim || !fits(gene))) break;
    if (enough && bytes + gene.textBytes > options.maxBytes) continue;
    if (heldOut.length + 1 >= files.length) break; // something must be left to train on
    const hashes = lineHashes(await options.text(gene), { mask: true });
    const sharedLines = lines.sharedWithTraining(hashes);
    if (sharedLines > MAX_SHARED_LINES) {
      tooAlike.push({ gene, sharedLines });
      continue;
    }
    lines.holdOut(hashes);
    heldOut.push(gene);
    bytes += gene.textBytes;
  }
  if (heldOut.length === 0) refuse(files.length, candidates.length, tooAlike.length, options.match);
  return { heldOut, tooAlike, ...withoutHeldOut(eligible, heldOut) };
}

/** Small files by falling size, then large ones by rising size. */
function misfit({ textBytes }: Gene): number {
  return textBytes < MIN_BYTES ? -textBytes : textBytes;
}

function refuse(eligible: number, candidates: number, alike: number, match: string | undefined): never {
  const hint = "give more or larger repositories";
  if (eligible < 2)
    throw new UserError("empty", `the genome has ${eligible} file to train on; at least 2 are needed`, { hint });
  if (candidates === 0)
    throw new UserError("empty", `none of the ${eligible} files to train on matches heldOut.match "${match}"`, {
      hint: "name files there that the rules under select: let in",
    });
  throw new UserError(
    "empty",
    `no file can be held out: more than 20 % of the lines of each of ${alike} files occur in the others`,
    { hint },
  );
}

function firstOfEachText(genes: readonly Gene[]): Gene[] {
  const seen = new Set<string>();
  return genes.filter((gene) => {
    const fresh = !seen.has(gene.textSha256);
    seen.add(gene.textSha256);
    return fresh;
  });
}

function withoutHeldOut(
  eligible: readonly Gene[],
  heldOut: readonly Gene[],
): { trained: Gene[]; silent: SilentGene[] } {
  const chosen = new Set(heldOut);
  const texts = new Set(heldOut.map((gene) => gene.textSha256));
  const blobs = new Set(heldOut.map((gene) => gene.blob));
  const trained: Gene[] = [];
  const silent: SilentGene[] = [];
  for (const gene of eligible) {
    if (chosen.has(gene)) silent.push({ gene, reason: "held out" });
    else if (texts.has(gene.textSha256) || blobs.has(gene.blob))
      silent.push({ gene, reason: "copy of a held-out file" });
    else trained.push(gene);
  }
  return { trained, silent };
}

interface LineCounts {
  /** Part of a candidate's lines that occur in files other than it and those held out. */
  sharedWithTraining(hashes: readonly number[]): number;
  holdOut(hashes: readonly number[]): void;
}

/** In how many files each line stands. Holding a file out later only takes lines away, so what was accepted stays so. */
async function countLines(files: readonly Gene[], options: HeldOutOptions): Promise<LineCounts> {
  const counts = new Map<number, number>();
  const add = (text: string): void => {
    for (const line of new Set(lineHashes(text, { mask: true }))) counts.set(line, (counts.get(line) ?? 0) + 1);
  };
  for (const gene of files) add(await options.text(gene));
  for (const text of options.alsoTrained ?? []) add(text);
  return {
    sharedWithTraining: (hashes) => shareOf(hashes, (line) => (counts.get(line) ?? 0) > 1),
    holdOut: (hashes) => {
      for (const line of new Set(hashes)) counts.set(line, counts.get(line)! - 1);
    },
  };
}
