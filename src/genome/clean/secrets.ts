/**
 * Secrets by secretlint's recommended rules, run on windows around their triggers: what they report becomes spans that hold
 * the whole secret. The rules are called directly, since @secretlint/core answers in promises and indexes every line first.
 */
import { rules } from "@secretlint/secretlint-rule-preset-recommend";
import type { SecretLintRuleContext, SecretLintRuleReportDescriptor, SecretLintSourceCode } from "@secretlint/types";
import { invariant } from "../../errors.ts";
import { tokenEnd, tokenStart, urlEndAt } from "./edges.ts";
import { otherRules, ruleName, triggers } from "./secret-rules.ts";
import type { Trigger } from "./secret-rules.ts";
import { mergeSpans } from "./span.ts";
import type { Span } from "./span.ts";

/** A rule, ready to run: the reports on a text, in the text's own indices. */
type Run = (content: string, file: string) => readonly SecretLintRuleReportDescriptor[];

/** The preset's rules by name, without the one that lets a text switch the others off. */
export function createRules(): ReadonlyMap<string, Run> {
  const runs = new Map<string, Run>();
  for (const rule of rules) {
    const name = ruleName(rule.meta.id);
    if (name === otherRules.switch) continue;
    let reports: SecretLintRuleReportDescriptor[] = [];
    const context: SecretLintRuleContext = {
      sharedOptions: {},
      createTranslator: () => (messageId, data) => ({ message: "", messageId: String(messageId), data: data ?? {} }),
      report: (descriptor) => void reports.push(descriptor),
      ignore: () => {},
    };
    const handler = rule.create(context, {});
    runs.set(name, (content, file) => {
      reports = [];
      const dot = file.lastIndexOf(".");
      // Rules read these fields only; the rest of the interface is for formatters, which index all lines.
      const source = { content, filePath: file, ext: dot < 0 ? "" : file.slice(dot), contentType: "text" };
      const pending = handler.file?.(source as SecretLintSourceCode);
      invariant(pending === undefined, `secretlint's rule ${name} is not synchronous`);
      return reports;
    });
  }
  return runs;
}

/** Which parts of one text the rules are to see. Filled in the order of the text. */
export interface Windows {
  /** Per trigger: from, to, from, to ... */
  readonly bounds: (number[] | undefined)[];
  /** Per trigger: the end of the unbroken token it stood in last, and how often it stood in it. */
  readonly runEnds: number[];
  readonly runCounts: number[];
  /** Tokens with a prefix again and again. */
  readonly crowds: Span[];
}

/** So many beginnings of a secret in one token are masked unasked: the rules try each of them to its full length. */
const crowd = 16;

/** UTF-16 units of an escape sequence in front of a secret, which `views` has to see whole. */
const longestEscape = 16;

/** Adds the window around a trigger at `at` whose pattern ended at `end`. */
export function addWindow(windows: Windows, index: number, text: string, at: number, end: number): void {
  const trigger = triggers[index]!;
  const bounds = (windows.bounds[index] ??= []);
  let from = Math.max(0, at - trigger.before - longestEscape);
  const to = Math.min(text.length, end + trigger.after);
  const last = bounds.length - 1;
  if (trigger.shape !== "token") {
    if (trigger.file === "package.json") from = Math.max(from, text.slice(from, at).lastIndexOf("http") + from);
    if (last > 0) bounds[last] = Math.min(bounds[last]!, Math.max(at, bounds[last - 1]!));
    bounds.push(from, to);
    return;
  }
  if (at >= (windows.runEnds[index] ?? 0)) {
    windows.runEnds[index] = wordRunEnd(text, at);
    windows.runCounts[index] = 0;
  }
  const count = (windows.runCounts[index] = windows.runCounts[index]! + 1);
  if (count === crowd)
    windows.crowds.push({ start: at, end: windows.runEnds[index]!, label: `secret/${trigger.rule}` });
  if (last > 0 && from <= bounds[last]!) bounds[last] = Math.max(bounds[last]!, to);
  else bounds.push(from, to);
}

const wordRun = /[\w-]*/y;
function wordRunEnd(text: string, at: number): number {
  wordRun.lastIndex = at;
  wordRun.test(text);
  return wordRun.lastIndex;
}

/** What the rules report on the windows, each mask grown to the ends of its token, URL or value. */
export function secretsIn(text: string, windows: Windows, runs: ReadonlyMap<string, Run>): Span[] {
  if (windows.crowds.length > 0) return grow(text, windows.crowds);
  const tokens: Span[] = [];
  const wholes: Span[] = [];
  for (const [index, bounds] of windows.bounds.entries()) {
    if (bounds === undefined) continue;
    const trigger = triggers[index]!;
    const run = runs.get(trigger.rule);
    invariant(run !== undefined, `secretlint has no rule ${trigger.rule}`);
    for (let i = 0; i < bounds.length; i += 2) {
      const offset = bounds[i]!;
      const window = text.slice(offset, bounds[i + 1]);
      for (const { content, origin } of views(window)) {
        for (const report of run(content, trigger.file ?? "")) {
          const { start, end } = reported(content, report, trigger);
          const span: Span = {
            start: offset + (origin?.[start] ?? start),
            end: offset + (origin?.[end] ?? end),
            label: labelOf(trigger),
          };
          if (trigger.shape === "token") tokens.push(span);
          else wholes.push({ ...span, end: wholeEnd(text, span, trigger) });
        }
      }
    }
  }
  return mergeSpans([...grow(text, tokens), ...wholes]);
}

function labelOf(trigger: Trigger): Span["label"] {
  return trigger.rule === "privatekey" ? "private-key" : `secret/${trigger.rule}`;
}

const escapes =
  // oxlint-disable-next-line no-control-regex -- terminal colours stand in logs
  /(?:\u001b|\\+(?:u001[bB]|x1[bB]|033|e))\[[0-9;]*[A-Za-z]|\\+(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[abfnrtv0])?|%[0-9a-fA-F]{2}/g;

interface View {
  readonly content: string;
  /** Where each character, and the end, of `content` stands in the window, if not at the same index. */
  readonly origin?: readonly number[];
}

/**
 * The window as it stands, and where it holds escape sequences also with these as white space, since the last letter of `\n`
 * or of a colour in front of a secret hides it from the rules. An escaped slash becomes a slash in both.
 */
function views(window: string): readonly View[] {
  if (!/[\\%]/.test(window) && !window.includes("\u001b")) return [{ content: window }];
  if (!window.includes("\\/")) return [{ content: window }, { content: withoutEscapes(window) }];
  const origin: number[] = [];
  let content = "";
  for (const { 0: piece, index } of window.matchAll(/[^\\]+|\\+/g)) {
    if (piece.startsWith("\\") && window[index + piece.length] === "/") continue;
    for (let i = 0; i < piece.length; i++) origin.push(index + i);
    content += piece;
  }
  origin.push(window.length);
  return [
    { content, origin },
    { content: withoutEscapes(content), origin },
  ];
}

function withoutEscapes(content: string): string {
  return content.replaceAll(escapes, (sequence) => " ".repeat(sequence.length));
}

/**
 * Where the secret of a report is. The reported range starts with the match but has the length of the secret, which in
 * the rules aws and npm stands later in the match; so the secret itself, which the message carries, is looked for.
 */
function reported(content: string, { range, message }: SecretLintRuleReportDescriptor, { shape }: Trigger) {
  const data = message.data as Readonly<Record<string, unknown>>;
  const secret = [data["KEY"], data["TOKEN"], data["URI"], data["URL"], data["CREDENTIAL"]].find(
    (value) => typeof value === "string",
  );
  const found = secret === undefined ? -1 : content.indexOf(secret, range[0]);
  if (secret === undefined || found < 0) return { start: range[0], end: range[1] };
  const end = found + secret.length;
  return { start: shape === "token" ? found : range[0], end };
}

/** Grows spans to whole tokens, left and right. One after the other, so that each character is looked at once. */
export function grow(text: string, spans: readonly Span[]): Span[] {
  const grown: Span[] = [];
  let floor = 0;
  for (const span of mergeSpans(spans)) {
    const last = grown.at(-1);
    if (last !== undefined && span.start < last.end) {
      if (span.end <= last.end) continue;
      grown[grown.length - 1] = { ...last, end: (floor = tokenEnd(text, span.end)) };
      continue;
    }
    const start = tokenStart(text, span.start, floor);
    floor = tokenEnd(text, span.end);
    grown.push({ ...span, start, end: floor });
  }
  return grown;
}

/** The end of a URL or a value whose beginning was reported; what was reported may go on into the next value of a line. */
function wholeEnd(text: string, { start, end }: Span, { shape, file }: Trigger): number {
  if (shape === "value") return valueEnd(text, start, end);
  const match = text.slice(start, end);
  const host = match.indexOf("@", match.indexOf(":", match.indexOf("://") + 3));
  // A password may hold anything up to its "@"; without one the URL itself is the secret.
  return urlEndAt(text, host < 0 || file !== undefined ? end : start + host + 1);
}

/** The end of `KEY=VALUE`, quoted or not, in a report that goes on to the end of its line. */
function valueEnd(text: string, start: number, end: number): number {
  const at = /=\s*\\*/.exec(text.slice(start, end));
  const from = start + (at === null ? 0 : at.index + at[0].length);
  const quote = text[from];
  if (quote === '"' || quote === "'") {
    const close = text.slice(from + 1, end).indexOf(quote);
    if (close >= 0) return from + 1 + close;
  }
  return Math.max(urlEndAt(text, from + 1), start + 1);
}
