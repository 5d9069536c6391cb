/** The licence a file states for itself, and the licence of a whole repository. Which ones to keep is the gate's part. */
import { unknownLicence, unrecognisedLicence } from "./catalogue.ts";
import { openingComment } from "./comment.ts";
import { joinExpressions, sameLicences } from "./expression.ts";
import { isManifest, manifestLicence } from "./manifests.ts";
import { isLicenceFile, isRootLicence } from "./names.ts";
import { statedLicence } from "./statement.ts";
import { licenceOfText, licencesIn } from "./text.ts";
import { normalise } from "./words.ts";

/** Version of the rules by which licences are recognised; it changes whenever a file might get another licence. */
export const licencesVersion = "licences@1";

/** Notices stand at the top; looking no further also bounds the time for a file of any size. UTF-16 units. */
const headCharacters = 4096;
/** No notice known here does without one of these. Most files do, and are done after this one search. */
const anyNotice = /licen[cs]|gpl|permission|redistribution|public domain|as[- ]is|proprietary|confidential/i;

/** How the terms of a licence begin that stand in the file itself. */
const grant =
  /\bpermission (?:is hereby granted|to use copy modify)\b|\bredistribution and use (?:of this \w+ |in source )/;

/**
 * The licence that a file states for itself, which for the file goes before the repository's.
 *
 * Read are, in this order: the whole text where the file is a licence by its name; `SPDX-License-Identifier` tags;
 * `License:` and `@license` lines, `__license__`, and a `license` in front matter; a licence's text or its name in the
 * comment that the file begins with. Prose outside a comment is not read: it speaks of the project.
 *
 * @param path its path in the repository
 * @returns an SPDX expression; "unknown" where the file states nothing; `LicenseRef-unrecognised` where it states terms
 *   that are not known here or a known licence with a restriction, so that the repository's licence does not hold for it
 */
export function fileLicence(path: string, text: string): string {
  if (isLicenceFile(path)) return licenceOfText(text);
  const head = text.slice(0, headCharacters);
  if (!anyNotice.test(head)) return unknownLicence;
  const notice = openingComment(path, head);
  return noticeLicence(notice) ?? unknownLicence;
}

function noticeLicence(notice: string): string | null {
  if (!anyNotice.test(notice)) return null;
  const stated = statedLicence(notice);
  if (stated === unrecognisedLicence) return stated;
  // Beside the text of a short licence its name often stands too.
  const licences = joinExpressions([...(stated === null ? [] : [stated]), ...licencesIn(notice).licences], "AND");
  return licences ?? (grant.test(normalise(notice)) ? unrecognisedLicence : null);
}

/** Whether `repositoryLicence` reads the file at this path: a caller reads these before it knows any gene's licence. */
export function isLicenceCandidate(path: string): boolean {
  return isRootLicence(path) || isManifest(path);
}

/**
 * The licence of a repository, from its files (others than the candidates are passed over).
 *
 * The texts govern; a manifest that names another licence, as a generated package.json does, changes nothing. Several
 * texts are joined by AND: each may hold for a part of the repository, and nobody is then promised more than all of
 * them allow. They are joined by OR where that is said: by a manifest or a licence file whose expression names exactly
 * those licences, or by files that are all named after a licence (LICENSE-MIT, LICENSE-APACHE), the convention for a
 * choice. The GPL's text does not say whether later versions are meant, so it counts as `-only` unless a manifest says.
 * Without texts the manifests tell.
 *
 * @returns an SPDX expression, with `LicenseRef-unrecognised` for each text that is none known; "unknown" without any
 */
export function repositoryLicence(files: readonly { readonly path: string; readonly text: string }[]): string {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const manifests = sorted.filter(({ path }) => isManifest(path)).flatMap((file) => manifestLicence(file) ?? []);
  const texts = sorted
    .filter(({ path }) => isRootLicence(path))
    .map(({ path, text }) => ({ path, licence: licenceOfText(text) }))
    .filter(({ licence }) => licence !== unknownLicence);
  if (texts.length === 0) return joinExpressions(manifests, "AND") ?? unknownLicence;
  const licences = withoutIncorporated(texts.map(({ licence }) => licence));
  const isChoice = texts.every(({ path }) => namedAfterLicence.test(path));
  const joined = joinExpressions(licences, isChoice ? "OR" : "AND") ?? unknownLicence;
  return [...manifests, ...licences].find((expression) => sameLicences(expression, joined)) ?? joined;
}

const namedAfterLicence =
  /^(?:licen[cs]e|copying)[-_.](?!(?:txt|md|markdown|rst|html?|adoc)$)\w|^unlicen[cs]e|^\w+[-_]licen[cs]e/i;

/** The LGPL-3.0 is the GPL-3.0 with permissions added, and comes with the GPL's text in a second file. */
function withoutIncorporated(licences: readonly string[]): readonly string[] {
  return licences.includes("LGPL-3.0-only") ? licences.filter((id) => id !== "GPL-3.0-only") : licences;
}
