/**
 * Text without secrets and personal data: `[masked:KIND]` stands where they stood. One pass finds the places worth a look;
 * the rules decide; and the masked text is looked at again until nothing is found.
 */
import { anchorGroup, anchorTable, nextAnchor } from "./anchors.ts";
import type { AnchorTable } from "./anchors.ts";
import { emails } from "./email.ts";
import { ipv4, ipv6 } from "./ip.ts";
import { cards, ibans, phones } from "./numbers.ts";
import { privateKeys } from "./private-key.ts";
import { certain, otherRules, triggers } from "./secret-rules.ts";
import { addWindow, createRules, grow, secretsIn } from "./secrets.ts";
import type { Windows } from "./secrets.ts";
import { mergeSpans, replaceSpans } from "./span.ts";
import type { Finder, Span } from "./span.ts";

/** The name of this transform in the rows of a genome; the number is the version of the rules. */
export const cleanVersion = "mask@1";

export interface Cleaned {
  readonly text: string;
  /** How many pieces were masked, by kind; for secrets by rule too: `{"email": 1, "secret/aws": 2}`. Sorted by name. */
  readonly masked: Readonly<Record<string, number>>;
}

const nothing: Cleaned["masked"] = Object.freeze({});

/**
 * Masks secrets (secretlint's recommended rules, which no comment in the text can switch off, and private keys in every
 * form), e-mail addresses, public IP addresses, payment cards, IBANs and telephone numbers.
 *
 * Idempotent, and the masks of two texts never depend on each other.
 */
export function clean(text: string): Cleaned {
  let counts: Map<string, number> | undefined;
  let current = text;
  // Every round takes away characters that are part of no mask, so there is a last one.
  for (;;) {
    const spans = sensitiveSpans(current);
    if (spans.length === 0) break;
    counts ??= new Map();
    for (const { label } of spans) counts.set(label, (counts.get(label) ?? 0) + 1);
    current = replaceSpans(current, spans);
  }
  if (counts === undefined) return { text, masked: nothing };
  return { text: current, masked: Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1))) };
}

/** Whether a text, such as a path, holds a secret; personal data is none. */
export function holdsSecret(text: string): boolean {
  return sensitiveSpans(text).some(({ label }) => label === "private-key" || label.startsWith("secret/"));
}

const secretFinders: readonly Finder[] = [
  privateKeys,
  ...certain.map(({ rule, anchors, pattern }): Finder => ({
    anchors,
    find(text, at) {
      pattern.lastIndex = at;
      const match = pattern.exec(text);
      if (match === null) return undefined;
      const end = pattern.lastIndex;
      return { start: match[1] === undefined ? at : end - match[1].length, end, label: `secret/${rule}` };
    },
  })),
];
const personalFinders: readonly Finder[] = [emails, ipv4, ipv6, cards, ibans, phones];
const finders = [...secretFinders, ...personalFinders];

let scanner: { readonly table: AnchorTable; readonly rules: ReturnType<typeof createRules> } | undefined;
const none: readonly Span[] = Object.freeze([]);

/** The secrets in a text, or where it has none the personal data. Sorted and apart. */
function sensitiveSpans(text: string): readonly Span[] {
  // Two megabytes of table, made when first needed.
  scanner ??= {
    table: anchorTable([...triggers, ...finders].map((rule) => rule.anchors)),
    rules: createRules(),
  };
  const { groups, targets } = scanner.table;
  let windows: Windows | undefined;
  let secrets: Span[] | undefined;
  let personal: Span[] | undefined;
  for (let at = nextAnchor(text, 0, groups); at >= 0; at = nextAnchor(text, at + 1, groups)) {
    for (const target of targets[anchorGroup(text, at, groups)]!) {
      const trigger = triggers[target];
      if (trigger !== undefined) {
        trigger.pattern.lastIndex = at;
        if (!trigger.pattern.test(text)) continue;
        windows ??= { bounds: [], runEnds: [], runCounts: [], crowds: [] };
        addWindow(windows, target, text, at, trigger.pattern.lastIndex);
        continue;
      }
      const index = target - triggers.length;
      const span = finders[index]!.find(text, at);
      if (span === undefined) continue;
      if (index < secretFinders.length) (secrets ??= []).push(span);
      else (personal ??= []).push(span);
    }
  }
  if (windows !== undefined || secrets !== undefined) {
    const spans = [
      ...grow(text, secrets ?? []),
      ...(windows === undefined ? [] : secretsIn(text, windows, scanner.rules)),
    ];
    if (spans.length > 0) return mergeSpans(spans);
  }
  if (isServiceAccount(text, scanner.rules)) return [{ start: 0, end: text.length, label: "private-key" }];
  return personal === undefined ? none : mergeSpans(personal);
}

/** A key file has 2,400 characters; larger documents are not parsed. */
const largestKeyFile = 65_536;

/** Whether the text is a Google service account's key file that hides its key from the pattern for private keys. */
function isServiceAccount(text: string, rules: ReturnType<typeof createRules>): boolean {
  if (text.length > largestKeyFile || !/^\s*\{/.test(text)) return false;
  // In JSON any character may be written as an escape.
  if (!text.includes("\\u") && !(text.includes("private_key_id") && text.includes("PRIVATE KEY"))) return false;
  return rules.get(otherRules.document)!(text, "key.json").length > 0;
}
