/** Tables of questions and answers (CSV, TSV) to conversations: which columns ask, which one answers, and in what order. */
import Papa from "papaparse";
import { formatDialogue } from "./dialogue.ts";
import type { Conversation, Message } from "./dialogue.ts";
import { hasMoreThan } from "./scan.ts";

/** Larger tables stay data: every cell and every row takes memory of its own while it is read. */
const most = {
  characters: 32 << 20,
  delimiters: 2_000_000,
  rows: 200_000,
  rowCharacters: 1 << 20,
  columns: 500,
  nameCharacters: 100,
};

export interface DialogueText {
  readonly text: string;
  /** Among "ragged-rows", "truncated-table", "synthetic-dialogue". */
  readonly flags: readonly string[];
}

/** Places of a table's columns, by what they are for. */
interface Columns {
  /** The question that opens a conversation, in one or more columns. */
  readonly opening: readonly number[];
  /** What is asked in later rows where no question was generated. */
  readonly checkpoint: readonly number[];
  /** What is asked last. */
  readonly final: readonly number[];
  readonly answer: number;
  /** The question that the answer of the next row answers. */
  readonly next: number | undefined;
  readonly count: number;
  readonly isGenerated: boolean;
}

/** A row's cells with its answer, and the number that its answer carried. */
interface Turn {
  readonly cells: readonly string[];
  readonly answer: string;
  readonly iteration: number | undefined;
}

/**
 * Reads a table as conversations. Where rows follow from each other (a column of generated questions, or answers that
 * are numbered `REFLECTION ITERATION n:`) the answer of a row answers the question that the row before it generated,
 * else the row's own checkpoint or final question; a number that does not go up begins the next conversation. In all
 * other tables each row is a conversation of its own.
 *
 * @returns undefined where the table is no dialogue, cannot be read, or is too large (32 Mi characters, 200,000 rows)
 */
export function readDialogueTable(text: string, language: "csv" | "tsv"): DialogueText | undefined {
  const header = /^\ufeff?([^\n]{0,65536})/.exec(text)![1]!;
  const delimiter = language === "tsv" ? "\t" : delimiterOf(header);
  if (columnsOf(header.split(delimiter)) === undefined) return undefined;
  if (text.length > most.characters || hasMoreThan(most.delimiters, delimiter, text)) return undefined;
  const table = parseTable(text, delimiter);
  const columns = columnsOf(table?.rows[0] ?? []);
  if (table === undefined || columns === undefined) return undefined;
  const { rows } = table;
  const turns = rows.slice(1).map((cells) => readTurn(cells, columns));
  const answered = turns.filter(({ answer }) => answer !== "");
  const numbered = answered.filter(({ iteration }) => iteration !== undefined).length;
  const follows = columns.next !== undefined || 2 * numbered > answered.length;
  if (!follows && 2 * answered.filter(({ answer }) => isSentence(answer)).length <= answered.length) return undefined;
  const conversations = follows ? chained(turns, columns) : answered.flatMap((turn) => single(turn, columns));
  if (conversations.length === 0) return undefined;
  const flags: string[] = [];
  if (rows.some((cells) => cells.length !== columns.count)) flags.push("ragged-rows");
  if (table.isTruncated) flags.push("truncated-table");
  if (columns.isGenerated || numbered > 0) flags.push("synthetic-dialogue");
  return { text: formatDialogue(conversations), flags };
}

function delimiterOf(header: string): string {
  const counts = [",", ";", "\t"].map((delimiter) => ({ delimiter, count: header.split(delimiter).length }));
  return counts.reduce((most, next) => (next.count > most.count ? next : most)).delimiter;
}

interface Table {
  readonly rows: readonly (readonly string[])[];
  /** Whether it ends within a quoted cell. */
  readonly isTruncated: boolean;
}

/** Undefined where the rules of CSV do not fit, even relaxed; the caller keeps such a file as it is. */
function parseTable(text: string, delimiter: string): Table | undefined {
  const parsed = parseRows(text, delimiter);
  const rows = parsed === "quote-not-closed" ? parseRows(`${text}"`, delimiter) : parsed;
  if (rows === undefined || rows === "quote-not-closed" || rows.length > most.rows) return undefined;
  return { rows, isTruncated: rows !== parsed };
}

function parseRows(text: string, delimiter: string): string[][] | "quote-not-closed" | undefined {
  const { data, errors } = Papa.parse<string[]>(text.replace(/^\ufeff/, ""), {
    delimiter,
    skipEmptyLines: true,
    preview: most.rows + 1,
  });
  if (errors.some(({ code }) => code === "MissingQuotes")) return "quote-not-closed";
  const isTooLong = (row: readonly string[]): boolean =>
    row.reduce((sum, cell) => sum + cell.length + 1, 0) > most.rowCharacters;
  return data.some(isTooLong) ? undefined : data;
}

const answerName = /(?:^|_)(?:response|answer|output|completion|reply|assistant)$/;
const nextName = /(?:^|_)(?:generated|next|follow_?up)_(?:question|prompt|query)$/;
const questionName = /(?:^|_)(?:question|prompt|query|input|instruction|message|user|human)s?_?\d*(?:_|$)/;
const finalName = /(?:^|_)(?:final|synthesis)(?:_|$)/;
const checkpointName = /(?:^|_)checkpoint/;
/** Columns about a question, not the question itself. */
const aboutName =
  /(?:^|_)(?:id|ids|tokens?|count|length|len|type|name|time|date|score|cost|metadata|url|file|path|hash|agent|format|size|lang|language)(?:_|$)/;

function columnsOf(header: readonly string[]): Columns | undefined {
  if (header.length > most.columns) return undefined;
  const names = header.map((cell) =>
    cell
      .slice(0, most.nameCharacters)
      .toLowerCase()
      .replace(/\W+/g, "_")
      .replace(/^_+|_+$/g, ""),
  );
  const answer = names.findLastIndex((name) => answerName.test(name));
  const next = names.findIndex((name) => nextName.test(name));
  const asking = names.flatMap((name, i) => {
    const asks = questionName.test(name) || checkpointName.test(name) || finalName.test(name);
    return i !== answer && i !== next && asks && !aboutName.test(name) ? [i] : [];
  });
  if (answer < 0 || asking.length === 0) return undefined;
  const final = asking.filter((i) => finalName.test(names[i]!));
  const checkpoint = asking.filter((i) => checkpointName.test(names[i]!));
  const opening = asking.filter((i) => !final.includes(i) && !checkpoint.includes(i));
  const isGenerated = names.some((name) => /^(?:model|phi|llm|ai)_|(?:^|_)generated(?:_|$)/.test(name));
  return { opening, checkpoint, final, answer, next: next < 0 ? undefined : next, count: names.length, isGenerated };
}

const iterationPrefix = /^[\s"'*#Φ]*REFLECTION (?:ITERATION|INTERACTION) (\d{1,9})\s*:\s*/i;

function readTurn(cells: readonly string[], columns: Columns): Turn {
  let answer = cells[columns.answer] ?? "";
  if (columns.answer === columns.count - 1 && cells.length > columns.count) {
    // Commas of an answer without proper quotes; where an earlier cell had one too, the number tells the place.
    const rest = cells.slice(columns.answer);
    const start = rest.findIndex((cell) => iterationPrefix.test(cell));
    answer = rest.slice(Math.max(start, 0)).join(",");
  }
  if (/^\s+"/.test(answer)) answer = answer.trim().replace(/^"|"$/g, "");
  const prefix = iterationPrefix.exec(answer);
  return {
    cells,
    answer: answer.slice(prefix?.[0].length ?? 0).trim(),
    iteration: prefix === null ? undefined : Number(prefix[1]),
  };
}

function isSentence(answer: string): boolean {
  return /\p{L}\s+\p{L}|\p{L}{8}/u.test(answer.slice(0, 1000));
}

function chained(turns: readonly Turn[], columns: Columns): Conversation[] {
  const conversations: Message[][] = [];
  const isNumbered = turns.some(({ iteration }) => iteration !== undefined);
  let last = 0;
  let before: Turn | undefined;
  for (const turn of turns) {
    const isRestart = turn.iteration !== undefined && turn.iteration <= last;
    const later = before === undefined || isRestart ? undefined : laterQuestion(turn, before, columns, isNumbered);
    const question = later ?? (filled(turn, columns.opening) || filled(turn, columns.checkpoint));
    if (later === undefined) conversations.push([]);
    // A row without an answer still asks what the next one answers.
    if (question !== "" && turn.answer !== "") conversations.at(-1)!.push(...exchange(question, turn.answer));
    last = turn.iteration ?? last;
    before = turn;
  }
  return conversations.filter((messages) => messages.length > 0);
}

/** What a row that is not the first was asked; undefined where it begins a conversation of its own. */
function laterQuestion(turn: Turn, before: Turn, columns: Columns, isNumbered: boolean): string | undefined {
  const pending = columns.next === undefined ? "" : (before.cells[columns.next] ?? "").trim();
  if (pending !== "" && !/^N\/A\b/.test(pending)) return pending;
  const changed = (places: readonly number[]): string =>
    filled(
      turn,
      places.filter((i) => turn.cells[i] !== before.cells[i]),
    );
  const isLast = turn.iteration === undefined;
  const opening = changed(columns.opening);
  if (isLast && opening !== "") return isNumbered ? opening : undefined;
  const checkpoint = changed(columns.checkpoint) || filled(turn, columns.checkpoint.slice(0, 1));
  const question = (isLast ? filled(turn, columns.final) : "") || checkpoint || filled(turn, columns.opening.slice(-1));
  return question === "" ? undefined : question;
}

function single(turn: Turn, { opening, checkpoint, final }: Columns): Conversation[] {
  const question = filled(turn, [...opening, ...checkpoint, ...final]);
  return question === "" ? [] : [exchange(question, turn.answer)];
}

/** The cells at these places that hold something, each once. */
function filled({ cells }: Turn, places: readonly number[]): string {
  const values = places.map((i) => (cells[i] ?? "").trim()).filter((value) => value !== "");
  return [...new Set(values)].join("\n\n");
}

function exchange(question: string, answer: string): Message[] {
  return [
    { role: "user", content: question },
    { role: "assistant", content: answer },
  ];
}
