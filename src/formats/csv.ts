/** The rows of a table (CSV, TSV) as objects by the names of its header, each with the line that it starts on. */

import Papa from "papaparse";
import { UserError } from "../errors.ts";
import { readChunks } from "./jsonl.ts";
import type { JsonLine } from "./jsonl.ts";

const MAX_COLUMNS = 10_000;
/** Of a file: more does not fit into one string with certainty. */
const MAX_BYTES = 2 ** 29 - 24;
/** Rows that are parsed at once. */
const ROWS = 1000;

/**
 * Reads a .csv or .tsv file (also .gz). A .tsv is cut at tabs, a .csv at the one of comma, semicolon and tab that its
 * header has most of; quotes as in RFC 4180, and quotes within a cell that does not begin with one stand for themselves.
 *
 * @throws UserError "not-found"; "damaged" naming the line: a row of another length than the header, a quote that is not
 *   closed or not doubled, not UTF-8; "invalid" for a header that names a column twice; "unsupported" above 512 MiB
 */
export async function* readCsv(path: string): AsyncGenerator<JsonLine, void, void> {
  yield* csvRows(await decoded(path), { tabs: /\.tsv(\.gz)?$/i.test(path), where: path });
}

/** The same of a text in memory; `where` is named in errors. */
export function* csvRows(
  text: string,
  { tabs, where }: { readonly tabs: boolean; readonly where: string },
): Generator<JsonLine> {
  const body = text.startsWith("\ufeff") ? text.slice(1) : text;
  const delimiter = tabs ? "\t" : delimiterOf(body);
  let names: readonly string[] | undefined;
  let newline: Papa.ParseConfig["newline"];
  let line = 1;
  for (let at = 0; at < body.length;) {
    // A slice shares the text's memory.
    const options: Papa.ParseConfig<string[]> = { delimiter, preview: ROWS };
    if (newline !== undefined) options.newline = newline;
    const { data, errors, meta } = Papa.parse<string[]>(body.slice(at), options);
    newline = meta.linebreak as typeof newline;
    const wrong = new Map(errors.map(({ row, message }) => [row, message]));
    for (const [i, record] of data.entries()) {
      const first = line;
      line += 1 + record.reduce((sum, cell) => sum + (cell.match(/\r\n|\r|\n/g)?.length ?? 0), 0);
      const message = wrong.get(i);
      if (message !== undefined)
        throw damaged(
          where,
          first,
          message.replace(/^./, (letter) => letter.toLowerCase()),
        );
      if (record.length === 1 && record[0] === "") continue;
      if (names === undefined) names = namesOf(record, where);
      else if (record.length === names.length) {
        yield { line: first, value: Object.fromEntries(record.map((cell, column) => [names![column]!, cell])) };
      } else throw damaged(where, first, `${record.length} cells, where the first line has ${names.length}`);
    }
    if (!meta.truncated) return;
    at += meta.cursor;
  }
}

function namesOf(record: readonly string[], where: string): readonly string[] {
  const names = record.map((name) => name.trim());
  if (names.length > MAX_COLUMNS) {
    throw new UserError("unsupported", `${where} has ${names.length} columns, more than ${MAX_COLUMNS}`, {
      hint: "check that it is the right file",
    });
  }
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) {
      throw new UserError("invalid", `${where}, line 1: the column "${name.slice(0, 100)}" is named twice`, {
        hint: "the first line must name each column once",
      });
    }
    seen.add(name);
  }
  return names;
}

function delimiterOf(text: string): string {
  const header = /^[^\n]{0,65536}/.exec(text)![0];
  const counts = [",", ";", "\t"].map((delimiter) => ({ delimiter, count: header.split(delimiter).length }));
  return counts.reduce((most, next) => (next.count > most.count ? next : most)).delimiter;
}

async function decoded(path: string): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const pieces: string[] = [];
  let bytes = 0;
  let line = 1;
  try {
    for await (const chunk of readChunks(path)) {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) {
        throw new UserError("unsupported", `${path} has more than ${MAX_BYTES} bytes`, { hint: "split the table" });
      }
      const text = decoder.decode(chunk, { stream: true });
      pieces.push(text);
      for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) line += 1;
    }
    pieces.push(decoder.decode());
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new UserError("damaged", `${path}, after line ${line}: not valid UTF-8`, {
      hint: "convert it to UTF-8",
      cause,
    });
  }
  return pieces.join("");
}

function damaged(where: string, line: number, what: string): UserError {
  return new UserError("damaged", `${where}, line ${line}: ${what}`, {
    hint: "each row must have as many cells as the first line, with quotes doubled inside quoted cells",
  });
}
