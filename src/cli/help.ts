/** The texts of `--help`, made from the definitions that the parser uses. */

import { styleText } from "node:util";
import { commonFlags, placeholder, typedName } from "./flags.ts";
import type { Flag } from "./flags.ts";
import type { Verb } from "./verb.ts";

/** Where the text goes: decides about colour (and `NO_COLOR` does). */
export interface HelpTarget {
  readonly stream: NodeJS.WriteStream;
  /** Columns to fill at most. */
  readonly width: number;
}

/** `chrysalis --help`: the verbs. */
export function overview(verbs: readonly Verb[], version: string, target: HelpTarget): string {
  return [
    `chrysalis ${version}: repositories in, model out.`,
    "",
    heading("Usage", target),
    `  chrysalis VERB [ARGUMENTS] [--json]`,
    "",
    heading("Verbs", target),
    ...table(
      verbs.map(({ name, summary }) => [name, summary]),
      target,
    ),
    "",
    heading("Flags", target),
    ...table(
      [
        ["-h, --help", "Show this help; chrysalis VERB --help shows that of a verb"],
        ["-V, --version", "Show the version"],
      ],
      target,
    ),
    "",
    "Exit codes: 0 done, 1 the work failed, 2 the request was wrong.",
  ].join("\n");
}

/** `chrysalis GROUP --help`: the verbs of two words that share the first. */
export function groupOverview(group: string, verbs: readonly Verb[], target: HelpTarget): string {
  return [
    heading("Usage", target),
    `  chrysalis ${group} VERB [ARGUMENTS] [--json]`,
    "",
    heading("Verbs", target),
    ...table(
      verbs.map(({ name, summary }) => [name, summary]),
      target,
    ),
    "",
    `chrysalis ${group} VERB --help explains one, with examples.`,
  ].join("\n");
}

/** `chrysalis VERB --help`. */
export function verbHelp(verb: Verb, target: HelpTarget): string {
  const flags = Object.entries({ ...verb.flags, ...commonFlags });
  const parts = [
    `${verb.summary}.`,
    "",
    heading("Usage", target),
    `  chrysalis ${verb.name} ${verb.usage}`,
    "",
    ...(verb.positionals.length === 0
      ? []
      : [
          heading("Arguments", target),
          ...table(
            verb.positionals.map(({ name, help, many }) => [many ? `${name}...` : name, help]),
            target,
          ),
          "",
        ]),
    heading("Flags", target),
    ...table(
      flags.map(([name, flag]) => [`--${typedName(name)} ${placeholder(flag)}`.trimEnd(), describe(flag)]),
      target,
    ),
    "",
    heading("Examples", target),
    ...verb.examples.flatMap(({ command, does }, i) => [
      ...(i === 0 ? [] : [""]),
      `  ${styleText("dim", `# ${does}`, { stream: target.stream })}`,
      `  ${command}`,
    ]),
  ];
  return parts.join("\n");
}

function describe(flag: Flag): string {
  if (flag.kind === "switch") return flag.help;
  if (flag.kind === "text" && flag.repeated) return `${flag.help} (may be repeated)`;
  if (flag.default !== undefined) return `${flag.help} (default ${flag.default})`;
  return flag.required ? `${flag.help} (needed)` : flag.help;
}

function heading(text: string, { stream }: HelpTarget): string {
  return styleText("bold", text, { stream });
}

const WIDEST_NAME = 26;

/** Two columns, the second one wrapped; a name too wide for the first stands on a line of its own. */
function table(rows: readonly (readonly [name: string, text: string])[], { width }: HelpTarget): string[] {
  const column = Math.min(WIDEST_NAME, Math.max(...rows.map(([name]) => name.length)));
  return rows.flatMap(([name, text]) => {
    const lines = wrap(text, Math.max(30, width - column - 4));
    const first = name.length > column ? [`  ${name}`] : [];
    const rest = lines.map((line, i) => `  ${(i === 0 && first.length === 0 ? name : "").padEnd(column)}  ${line}`);
    return [...first, ...rest];
  });
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
