/** Which licence a text is: compared with the texts that SPDX publishes, so that an added restriction shows. */
import { knownLicences, unknownLicence, unrecognisedLicence } from "./catalogue.ts";
import type { KnownLicence } from "./catalogue.ts";
import { joinExpressions, sameLicences } from "./expression.ts";
import { refersElsewhere, statedLicence } from "./statement.ts";
import { spdxText } from "./spdx-text.ts";
import { coveredBy, normalise, shinglesOf, wordsOf } from "./words.ts";
import type { Word } from "./words.ts";

/** A longer text is a collection of notices, too long to be sure of. In UTF-16 units; the GPL has 35,000. */
const maxCharacters = 256 * 1024;
/** The share of a licence's words that may be absent or changed: names of holders, a title, a line left out. */
const maxMissing = 0.1;
/** A licence is there besides another only where it explains this many more words. */
const minAdded = 20;
/** Words that belong to no licence: a title, an address, a sentence that says whose the terms are. */
const maxForeign = 60;
const parameterised = new Set(knownLicences.filter(({ hasParameters }) => hasParameters).map(({ id }) => id));
/** What turns the terms of a known licence into others. One of these among the foreign words, and it is not plain. */
const rider =
  /\b(?:not|no|non|only|solely|except|excluding|unless|without|however|restrict\w*|prohibit\w*|forbid\w*|conditions?|conditional\w*|must|shall|noncommercial\w*|commercial\w*|proprietary|confidential|military|weapons?|train|training|commons clause|rider|exceptions?|nonprofit|(?:personal|research|academic|educational|evaluation|internal) (?:use|purposes?)|additional (?:terms|requirements|clause))\b/;

/**
 * The licence of a text that states one: a LICENSE file, or a comment that holds the whole of a short licence.
 *
 * A known licence is in the text when at least 90 % of its words are, in runs of three; line breaks, case, punctuation,
 * numbering and copyright lines do not count. The text is plainly that licence when hardly a word is left that belongs to
 * none, and none of those restricts. This is stricter than the word sets of GitHub's licensee (98 % by Sorensen-Dice),
 * which a rider of a few words in a long text passes.
 *
 * @returns an SPDX expression: several licences in one text are joined by AND, since each of them may hold for a part;
 *   `LicenseRef-unrecognised` where the text is none of those known, or one with additions; "unknown" where it is empty
 */
export function licenceOfText(text: string): string {
  if (text.length > maxCharacters) return unrecognisedLicence;
  const shown = withoutMarkupComments(text);
  const { licences, foreign } = licencesIn(shown);
  if (licences.length === 0) return licenceOfNotice(shown);
  const all = joinExpressions(licences, "AND")!;
  if (licences.some((id) => parameterised.has(id))) return all;
  const uncounted = foreign.filter(({ line }) => !line.isCopyright);
  if (uncounted.length > maxForeign || rider.test(textOf(foreign))) return unrecognisedLicence;
  const preface = new Set(foreign.map(({ line }) => line.text));
  const stated = statedLicence([...preface].join("\n"), { anyName: true });
  // What the preface names has to be what follows; then it also tells a choice from a sum.
  if (stated === null) return all;
  if (sameLicences(stated, all)) return stated;
  // The title of the first of several texts.
  return sameLicences(joinExpressions([stated, all], "AND")!, all) ? all : unrecognisedLicence;
}

/** A file such as "Licensed under either of MIT or Apache-2.0 at your option", or "see LICENSE-MIT". */
function licenceOfNotice(text: string): string {
  if (text.trim() === "") return unknownLicence;
  const stated = statedLicence(text, { anyName: true });
  if (stated === null) return refersElsewhere(text) ? unknownLicence : unrecognisedLicence;
  // A name above terms of one's own is no licence; the usual notices stand in SPDX's texts, as how to apply them.
  const words = wordsOf(text.replace(/-only\b/gi, ""));
  const templates = knownLicences.filter(({ id }) => sameLicences(`${id} AND ${stated}`, stated)).map(templateOf);
  const covered = templates.map(({ shingles }) => coveredBy(words, shingles));
  const foreign = words.filter((_, at) => !covered.some((flags) => flags[at]));
  return foreign.length > maxForeign || rider.test(textOf(foreign)) ? unrecognisedLicence : stated;
}

/** Without `<!-- -->`, which a reader of the rendered text does not see. */
function withoutMarkupComments(text: string): string {
  const [first = "", ...rest] = text.split("<!--");
  return [first, ...rest.map((part) => (part.includes("-->") ? part.slice(part.indexOf("-->") + 3) : part))].join(" ");
}

/** The licences whose whole text is in a text, in the order of SPDX ids, and the words that belong to none of them. */
export function licencesIn(text: string): { readonly licences: readonly string[]; readonly foreign: readonly Word[] } {
  const normalised = normalise(text);
  const candidates = knownLicences.filter(
    ({ signature, counterSign }) =>
      normalised.includes(signature) && (counterSign === undefined || !normalised.includes(counterSign)),
  );
  if (candidates.length === 0) return { licences: [], foreign: [] };
  const words = wordsOf(text);
  const shingles = shinglesOf(words);
  const found = candidates
    .map((licence) => ({ id: licence.id, covered: coverage(licence, words, shingles) }))
    .filter((candidate): candidate is { id: string; covered: Uint8Array } => candidate.covered !== null)
    // The one that explains most comes first: a licence that another one builds on then adds nothing.
    .sort((a, b) => sum(b.covered) - sum(a.covered));
  const explained = new Uint8Array(words.length);
  const licences: string[] = [];
  for (const { id, covered } of found) {
    const added = covered.reduce((count, is, at) => count + (is && !explained[at] ? 1 : 0), 0);
    if (added < minAdded) continue;
    licences.push(id);
    for (let at = 0; at < covered.length; at++) explained[at]! |= covered[at]!;
  }
  return { licences: licences.sort(), foreign: words.filter((_, at) => !explained[at]) };
}

/** Which of the words the licence explains; null where too much of it is missing. */
function coverage(licence: KnownLicence, words: readonly Word[], shingles: ReadonlySet<string>): Uint8Array | null {
  const template = templateOf(licence);
  const present = coveredBy(template.terms, shingles);
  if (sum(present) < (1 - maxMissing) * present.length) return null;
  return coveredBy(words, template.shingles);
}

interface Template {
  readonly shingles: ReadonlySet<string>;
  /** Without what follows the terms. */
  readonly terms: readonly Word[];
}

/** SPDX's text of a licence. Read when first asked for: a genome meets few of them. */
function templateOf({ id, end, passage = "" }: KnownLicence): Template {
  const words = wordsOf(spdxText(id)).filter(({ line }) => !line.isCopyright);
  const shingles = new Set([...shinglesOf(words), ...shinglesOf(wordsOf(passage))]);
  if (end === undefined) return { shingles, terms: words };
  const text = textOf(words);
  const cut = text.indexOf(textOf(wordsOf(end)));
  return { shingles, terms: words.slice(0, text.slice(0, cut).trim().split(" ").length) };
}

function textOf(words: readonly Word[]): string {
  return words.map(({ word }) => word).join(" ");
}

function sum(flags: Uint8Array): number {
  return flags.reduce((total, flag) => total + flag, 0);
}
