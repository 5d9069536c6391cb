/** Flags: one definition of each feeds the parser and the help; numbers and choices are checked while parsing. */

import { parseArgs } from "node:util";
import { nearest } from "../blueprint/nearest.ts";
import { UserError } from "../errors.ts";

interface Described {
  /** One sentence without its full stop. */
  readonly help: string;
}

export type Flag =
  | (Described & { readonly kind: "switch" })
  | (Described & {
      readonly kind: "text";
      /** What stands for the value in the help: FILE. */
      readonly value: string;
      readonly default?: string;
      readonly required?: true;
      /** Takes every argument up to the next flag, and may be repeated. */
      readonly many?: true;
      /** May be repeated, with one argument each time. */
      readonly repeated?: true;
    })
  | (Described & {
      readonly kind: "number";
      readonly value: string;
      readonly default?: number;
      readonly required?: true;
      readonly integer?: true;
      readonly min?: number;
      /** Smaller or equal is refused. */
      readonly above?: number;
      readonly max?: number;
    })
  | (Described & {
      readonly kind: "choice";
      readonly choices: readonly string[];
      readonly default?: string;
      readonly required?: true;
    });

/** By name in camel case: `learningRate` is typed `--learning-rate`. */
export type Flags = Readonly<Record<string, Flag>>;

export interface Positional {
  /** In capitals: MODEL. */
  readonly name: string;
  readonly help: string;
  readonly optional?: true;
  /** Takes all that is left; the last one only. */
  readonly many?: true;
}

type Present<F, T> = F extends { default: unknown } | { required: true } ? T : T | undefined;
type ValueOf<F extends Flag> = F extends { kind: "switch" }
  ? boolean
  : F extends { many: true } | { repeated: true }
    ? readonly string[]
    : F extends { kind: "number" }
      ? Present<F, number>
      : F extends { kind: "choice"; choices: readonly (infer C)[] }
        ? Present<F, C>
        : Present<F, string>;

export interface Parsed<F extends Flags = Flags> {
  readonly flags: { readonly [Name in keyof F]: ValueOf<F[Name]> };
  readonly positionals: readonly string[];
  /** Names (in camel case) of the flags that were typed; the others have their defaults. */
  readonly given: ReadonlySet<string>;
}

/** What every verb takes. */
export const commonFlags = {
  json: { kind: "switch", help: "Print the result as one JSON object on standard output" },
  help: { kind: "switch", help: "Show this help" },
} as const satisfies Flags;

/** As typed, without the dashes: `learningRate` -> `learning-rate`. */
export function typedName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** A request that cannot be understood: exit code 2. */
export function usageError(message: string, hint: string): UserError {
  return new UserError("usage", message, { hint });
}

/**
 * Reads the arguments of a verb. `--name value`, `--name=value` and `--` (only positionals follow) are understood.
 *
 * @throws UserError "usage" naming the argument and, where a word is unknown, the nearest known one
 */
export function parseFlags<F extends Flags>(
  verb: { readonly name: string; readonly flags: F; readonly positionals: readonly Positional[] },
  argv: readonly string[],
): Parsed<F> {
  const seeHelp = `see: chrysalis ${verb.name} --help`;
  const all: Flags = { ...verb.flags, ...commonFlags };
  const nameOf = new Map(Object.keys(all).map((name) => [typedName(name), name]));
  const values: Record<string, unknown> = {};
  const given = new Set<string>();
  const positionals: string[] = [];
  const put = (name: string, flag: Flag, value: string): void => {
    if (isList(flag)) values[name] = [...((values[name] as string[] | undefined) ?? []), value];
    else if (given.has(name)) throw usageError(`--${typedName(name)} is given twice`, seeHelp);
    else values[name] = valueOf(`--${typedName(name)}`, flag, value);
    given.add(name);
  };

  const options = Object.fromEntries(
    [...nameOf].map(([typed, name]) => [typed, { type: all[name]!.kind === "switch" ? "boolean" : "string" } as const]),
  );
  const aliased = { ...options, help: { type: "boolean", short: "h" } } as const;
  const { tokens } = parseArgs({ args: [...argv], options: aliased, strict: false, tokens: true });
  let collecting: string | undefined;
  for (const token of tokens) {
    if (token.kind === "option-terminator") collecting = undefined;
    else if (token.kind === "positional") {
      if (collecting === undefined) positionals.push(token.value);
      else put(collecting, all[collecting]!, token.value);
    } else {
      collecting = undefined;
      const name = nameOf.get(token.name);
      if (name === undefined) throw unknownFlag(verb.name, token.rawName, [...nameOf.keys()]);
      const flag = all[name]!;
      if (flag.kind === "switch") {
        if (token.value !== undefined) throw usageError(`${token.rawName} takes no value`, seeHelp);
        values[name] = true;
        given.add(name);
        continue;
      }
      const missing = token.value === undefined || token.value === "";
      if (missing || (!token.inlineValue && /^-[^\d.]/.test(token.value))) {
        throw usageError(`${token.rawName} needs a value`, `write ${token.rawName} ${placeholder(flag)}`);
      }
      put(name, flag, token.value);
      if (flag.kind === "text" && flag.many) collecting = name;
    }
  }
  if (values["help"] !== true) {
    checkPositionals(verb, positionals, seeHelp);
    for (const [name, flag] of Object.entries(all)) {
      if (flag.kind === "switch") values[name] ??= false;
      else if (isList(flag)) values[name] ??= [];
      else values[name] ??= flag.default;
      const empty = values[name] === undefined || (Array.isArray(values[name]) && values[name].length === 0);
      if (empty && "required" in flag && flag.required) {
        throw usageError(`${verb.name} needs --${typedName(name)} ${placeholder(flag)}`, seeHelp);
      }
    }
  }
  return { flags: values as Parsed<F>["flags"], positionals, given };
}

function isList(flag: Flag): boolean {
  return flag.kind === "text" && (flag.many === true || flag.repeated === true);
}

/** What stands for a flag's value in the help; empty for a switch. */
export function placeholder(flag: Flag): string {
  switch (flag.kind) {
    case "switch":
      return "";
    case "choice":
      return flag.choices.join("|");
    case "number":
      return flag.value;
    case "text":
      return flag.many ? `${flag.value}...` : flag.value;
  }
}

function valueOf(typed: string, flag: Flag, text: string): unknown {
  if (flag.kind === "choice") {
    if (flag.choices.includes(text)) return text;
    throw usageError(`${typed} is "${text}"`, `it must be one of ${flag.choices.join(", ")}`);
  }
  if (flag.kind !== "number") return text;
  const { integer, min, above, max } = flag;
  const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  const fits =
    Number.isFinite(number) &&
    (!integer || Number.isSafeInteger(number)) &&
    number >= (min ?? -Infinity) &&
    number <= (max ?? Infinity) &&
    number > (above ?? -Infinity);
  if (fits) return number;
  const bounds = [
    min === undefined ? "" : `of at least ${min}`,
    above === undefined ? "" : `greater than ${above}`,
    max === undefined ? "" : `of at most ${max}`,
  ].filter(Boolean);
  const kind = integer ? "a whole number" : "a number";
  throw usageError(`${typed} is "${text}"`, `it must be ${[kind, bounds.join(" and ")].filter(Boolean).join(" ")}`);
}

function checkPositionals(
  verb: { readonly name: string; readonly positionals: readonly Positional[] },
  found: readonly string[],
  seeHelp: string,
): void {
  const missing = verb.positionals.find(({ optional }, i) => !optional && found[i] === undefined);
  if (missing) throw usageError(`${verb.name} needs ${missing.name}`, `${missing.name}: ${missing.help}; ${seeHelp}`);
  const surplus = verb.positionals.at(-1)?.many ? undefined : found[verb.positionals.length];
  if (surplus !== undefined) throw usageError(`"${surplus}" is one argument too many for ${verb.name}`, seeHelp);
  const empty = verb.positionals.find((_, i) => found[i] === "");
  if (empty) throw usageError(`${empty.name} is empty`, seeHelp);
}

function unknownFlag(verb: string, typed: string, known: readonly string[]): UserError {
  const close = nearest(typed.replace(/^-+/, ""), known);
  return usageError(`${verb} has no flag ${typed}`, `the nearest is --${close}; see: chrysalis ${verb} --help`);
}
