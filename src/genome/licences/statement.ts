/** Which licence a short notice names: "SPDX-License-Identifier: MIT", "Licensed under the Apache License, Version 2.0". */
import { knownLicences, unrecognisedLicence } from "./catalogue.ts";
import { formatExpression, joinExpressions, parseExpression } from "./expression.ts";
import { normalise } from "./words.ts";

const named = new Map(knownLicences.flatMap(({ id, names = [] }) => names.map((name) => [name, id] as const)));
named.set("apache license v2 0 with llvm exceptions", "Apache-2.0 WITH LLVM-exception");
const abbreviated = new Map(
  knownLicences.flatMap(({ id, abbreviations = [] }) =>
    [normalise(id), ...abbreviations].map((name) => [name, id] as const),
  ),
);

/** Longer names first: "mit no attribution" is not "mit". */
const alternatives = (names: Iterable<string>) => [...names].sort((a, b) => b.length - a.length).join("|");
const mentions = new RegExp(
  `\\b(?:(${alternatives(named.keys())})s?|` +
    `(?:license|licensed|under)(?: is)?(?: under)?(?: the)?(?: terms of(?: the)?)? (${alternatives(abbreviated.keys())}))` +
    // "MIT and ISC": the second one needs no words of its own.
    `(?: (?:and|or|and or)(?: the)? (${alternatives([...named.keys(), ...abbreviated.keys()])}))?\\b`,
  "g",
);

/** Terms that contradict a permissive licence they stand beside, or that are no licence at all. */
const restriction =
  /\bcommons clause\b|\bproprietary\b|\bconfidential\b|(?<!\bcommercial (?:and|or|as well as) )\bnon ?commercial(?:ly)?\b(?! (?:and|or) commercial)|\bnot (?:be used )?(?:for|in) (?:any )?commercial\b|\b(?:personal|research|academic|educational|evaluation|internal) (?:use|purposes?) only\b|\bnot licensed under\b|\bno license is granted\b/;

/** Without a licence's name, a restriction is one only where the notice speaks of rights. */
const ownership =
  /\b(?:copyright|rights reserved|licensed|license|permission|property of|this (?:file|code|software|work))\b/;

/** The alternative is the reader's; without such words several names are taken to hold together. */
const choice =
  /\b(?:at your (?:option|choice|election)|your choice of|either|(?:may|can) choose|dual(?:ly)? licensed?)\b/;
/** How the GNU notices speak of versions, which is no choice between licences. */
const choiceOfVersion = /\beither version|\bat your option any later version/g;

const points =
  /\blicensed under\b|\b(?:released|distributed|available|published) under (?:(?:the|an?|its|this|these|other) (?:\w+ ){0,8}?(?:licenses?|terms)|cc|creative commons)\b|\bsubject to the (?:terms|license)\b/;
const licensings = /\blicensed under\b(?! (?:the|this) license\b)/g;
const elsewhere =
  /\b(?:license|copying)(?: (?:md|txt|rst))? (?:file|for)\b|\b(?:see|in) (?:the )?(?:accompanying )?(?:file )?(?:license|copying)\b/;

/** What makes a name that of one's own licence, in the words just before it. */
const licensing = /\b(?:under|licensed|terms|subject to|dual|governed by|covered by|(?:is|are)(?= $))/;
/** What makes a name the subject of a program about licences, in the sentence before it. */
const mentioning =
  /\b(?:detects|detecting|parses|parsing|recogni[sz](?:es|ing)|classifies|matches|matching|compares|converts|generates|finds|finding|checks|checking|inserts|adds|adding|mentions|looks for|whether|such as|for example|e g|unlike|compatible with|not)\b|^(?:detect|parse|recogni[sz]e|classify|match|compare|convert|generate|find|check|insert|add)\b/;
const sentenceEnd = /[.!?]\s|\n[^\p{L}\p{N}\n]*\n|[|;]/u;
const copyright = /\bcopyright\b|\(c\)|©/;
const lineStart = /licen[cs]e:?\s+(?:is )?(?:the |an? )?$|(?:^|[\n|.(])[^\p{L}\p{N}\n"'`]*(?:this is |the |gnu )*$/u;
const lineEnd =
  /^(?:[ ,]*\(?(?:version |v\.?)? ?\d(?:\.\d)*\+?\)?)?(?: or (?:any )?(?:later|newer))?\s*(?:$|\n|[|,.;:()*]|- )/;

/**
 * The licence that a notice names.
 *
 * @param anyName whether each name counts, as in a file that is there to state a licence; else the words around it have
 *   to say that the notice's own work stands under it, since the comments of programs about licences name many
 * @returns an SPDX expression; `LicenseRef-unrecognised` where it states other terms, or a known licence with a
 *   restriction; null where it states none
 */
export function statedLicence(notice: string, { anyName = false } = {}): string | null {
  const tagged = taggedLicence(notice);
  if (tagged !== null) return tagged;
  const shown = notice.replace(/\b(v?\d(?:\.\d)*)\+/gi, "$1 or later");
  const words = normalise(shown);
  const { isMention, isOwn } = placesIn(shown, words);
  const counts = anyName ? () => true : isOwn;
  const gnu = gnuLicence(words, counts);
  const ids = [...words.matchAll(mentions)]
    .filter(({ index, 0: mention, 2: abbreviation }) =>
      counts(
        abbreviation === undefined ? index : index + mention.lastIndexOf(` ${abbreviation}`) + 1,
        index + mention.length,
      ),
    )
    .flatMap((match) => match.slice(1).flatMap((name) => named.get(name ?? "") ?? abbreviated.get(name ?? "") ?? []));
  if (gnu !== null) ids.push(gnu);
  if (restriction.test(words) && (ids.length > 0 || ownership.test(words)) && !ids.some((id) => id.includes("-NC-"))) {
    return unrecognisedLicence;
  }
  // "One part is licensed under <a name not known here>, the rest under MIT."
  if (ids.length > 0 && (words.match(licensings)?.length ?? 0) > ids.length) return unrecognisedLicence;
  // Of three, "either of the first two, and the third for some files" is as likely.
  const mayChoose = new Set(ids).size === 2 && choice.test(words.replace(choiceOfVersion, ""));
  const stated = joinExpressions(ids, mayChoose ? "OR" : "AND");
  if (stated !== null) return stated;
  const pointer = points.exec(words);
  return pointer !== null && !isMention(pointer.index) && !refersElsewhere(notice) ? unrecognisedLicence : null;
}

/** Tells of places in the words of a notice what the signs and line breaks around them say. */
function placesIn(notice: string, words: string) {
  const text = notice.toLowerCase();
  let tokens: readonly RegExpExecArray[] | undefined; // Most notices are not asked about.
  const tokenAt = (place: number) => {
    tokens ??= [...text.matchAll(/[\p{L}\p{N}]+/gu)];
    return tokens[words.slice(0, place).split(" ").length - 1]!;
  };
  const sentenceBefore = (at: number) =>
    `${normalise(
      text
        .slice(Math.max(0, at - 200), at)
        .split(sentenceEnd)
        .at(-1)!,
    )} `;
  return {
    /** Whether what starts there is said of other works. */
    isMention: (start: number) => mentioning.test(sentenceBefore(tokenAt(start).index)),
    /** Whether the name from start to end is that of the notice's own licence. */
    isOwn(start: number, end: number): boolean {
      const last = tokenAt(end);
      const at = tokenAt(start).index;
      const before = text.slice(0, at);
      const after = text.slice(last.index + last[0].length);
      const lead = sentenceBefore(at);
      if (mentioning.test(lead)) return false;
      const line = before.slice(before.lastIndexOf("\n") + 1) + after.split("\n", 1)[0]!;
      return (
        licensing.test(lead.slice(-100)) ||
        copyright.test(line) ||
        (lineStart.test(before.slice(-120)) && lineEnd.test(after))
      );
    },
  };
}

/** Whether a notice leaves its terms to another file, and so says nothing by itself. */
export function refersElsewhere(notice: string): boolean {
  return elsewhere.test(normalise(notice));
}

/** Only after signs, as a comment has them: in a quoted string the tag is what a program writes, not its licence. */
const tag = /^[^\p{L}\p{N}"'`\n]*(?:(?:"""|'''|dnl |rem )[ \t]*)?SPDX-License-Identifier:[ \t]*(.*)$/gimu;
const field = /^[^\p{L}\p{N}"'`\n]*(?:@licen[cs]e|licen[cs]e[ \t]*:)[ \t]+(.*)$/gimu;

/** The licence of "SPDX-License-Identifier:" lines, joined by AND as REUSE reads several, else of "License:" lines. */
function taggedLicence(notice: string): string | null {
  const tags = [...notice.matchAll(tag)].map(
    (match) => namedLicence(withoutCommentEnd(match[1]!)) ?? unrecognisedLicence,
  );
  if (tags.length > 0) return joinExpressions(tags, "AND");
  // "@license" often only marks a comment to be kept, so what is no licence there says nothing.
  const fields = [...notice.matchAll(field)].flatMap((match) => namedLicence(withoutCommentEnd(match[1]!)) ?? []);
  return joinExpressions(fields, "AND");
}

function withoutCommentEnd(text: string): string {
  return text.replace(/(?:\*\/|-->|"""|'''|\*\)|-\}|#\}|\]\]|\*+|#+|\/\/+).*$/, "").trim();
}

/**
 * A licence as a field holds it: an SPDX expression, or a name such as "Apache License 2.0" or "GPLv3+".
 *
 * @returns the SPDX expression; null where it is neither, or where the name fits several licences ("BSD", "GPL")
 */
export function namedLicence(text: string): string | null {
  const expression = parseExpression(text.trim());
  if (expression !== null) return formatExpression(expression);
  if (text.length > 200) return null;
  const words = normalise(text).replace(/^the /, "");
  if (restriction.test(words)) return null;
  const exact = named.get(words) ?? abbreviated.get(words.replace(/ license$/, "")) ?? named.get(`${words} license`);
  if (exact !== undefined) return exact;
  return words.split(" ").length <= 12
    ? (gnuLicence(text.includes("+") ? `${words} or later` : words) ?? bracketed(text))
    : null;
}

/** "The MIT License (MIT)": what stands before the bracket. */
function bracketed(text: string): string | null {
  const before = /^([^()]+)\([^()]*\)\.?$/.exec(text.trim())?.[1];
  return before === undefined ? null : namedLicence(before);
}

const gnuName = /\b(?:(lesser|library|affero)? ?general public license|(l|a)?gpl ?v?(?=\d|\b))/g;

/** The GNU licence whose name comes first, with its version and whether later ones are meant; null without a version. */
function gnuLicence(words: string, counts: (start: number, end: number) => boolean = () => true): string | null {
  const name = [...words.matchAll(gnuName)].find((match) =>
    counts(match.index, match.index + match[0].trimEnd().length),
  );
  if (name === undefined) return null;
  const after = words.slice(name.index, name.index + 400);
  const version = /\bv(?:ersion)? ?(\d)(?: (\d))?\b|(?:license|gpl) ?v?(\d)(?: (\d))?\b/;
  // "version 2 of the GNU General Public License" is the other order.
  const before = words.slice(Math.max(0, name.index - 60), name.index);
  const numbers = /\bversion (\d)(?: (\d))? (?:only )?of the (?:gnu )?$/.exec(before) ?? version.exec(after);
  if (numbers === null) return null;
  const major = numbers[1] ?? numbers[3]!;
  const minor = numbers[2] ?? numbers[4] ?? "0";
  const prefix =
    name[1] === "affero" || name[2] === "a" ? "AGPL" : name[1] !== undefined || name[2] === "l" ? "LGPL" : "GPL";
  const later = /\b(?:any|or) (?:any )?(?:later|newer|higher|above)\b/.test(after);
  const expression = parseExpression(`${prefix}-${major}.${minor}-${later ? "or-later" : "only"}`);
  return expression === null ? null : formatExpression(expression);
}
