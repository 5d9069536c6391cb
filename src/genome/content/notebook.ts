/** Jupyter notebooks to readable text: their code and their prose, without outputs, attachments and images. */
import { cellComment, kernelLanguage } from "./kernels.ts";
import type { Comment } from "./kernels.ts";
import { hasMoreThan, withLineFeeds, withoutFinalLineFeeds } from "./scan.ts";

/** Objects, arrays and their members take memory of their own while JSON is read, however short they are written. */
const most = { characters: 32 << 20, brackets: 500_000, commas: 1_000_000 };

export interface NotebookText {
  readonly text: string;
  /** The kernel's language; null where the notebook does not tell it. */
  readonly language: string | null;
  /** "invalid-cells" where a cell had no type or source and was left out. */
  readonly flags: readonly string[];
}

interface Cell {
  readonly type: "code" | "markdown" | "raw";
  readonly source: string;
}

/**
 * The cells of a notebook (nbformat 4, and 3 with its worksheets) in the percent format of jupytext: every cell begins
 * with the line `# %%`, `# %% [markdown]` or `# %% [raw]`; code stands as it is, magics included, all other text as comments; a
 * blank line comes between cells. The comment sign is that of the kernel's language. Headings of nbformat 3 become
 * markdown. Outputs, attachments, metadata and `data:` URIs of images in text cells are dropped, as are empty
 * cells; there is no way back.
 *
 * @param json the notebook file's text
 * @returns why it cannot be read, as a flag, where it is too large or no notebook
 */
export function readNotebook(json: string): NotebookText | "invalid-notebook" | "oversized-notebook" {
  const { characters, brackets, commas } = most;
  if (json.length > characters || hasMoreThan(brackets, "[{", json) || hasMoreThan(commas, ",", json)) {
    return "oversized-notebook";
  }
  const notebook = parse(json);
  const list = cellsOf(notebook);
  if (list === undefined) return "invalid-notebook";
  const cells = list.map(readCell);
  const read = cells.filter((cell) => cell !== undefined);
  const filled = read.filter(({ source }) => source !== "");
  const language = kernelLanguage(notebook, list);
  const comment = cellComment(language);
  return {
    text: filled.map((cell) => `${format(cell, comment)}\n`).join("\n"),
    language,
    flags: read.length < cells.length ? ["invalid-cells"] : [],
  };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json.replace(/^\ufeff/, "")) as unknown;
  } catch {
    return undefined; // The caller says that it is no notebook, and keeps its text.
  }
}

/** The value of a key that an object has itself. Whatever the JSON holds, it never throws. */
function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

function cellsOf(notebook: unknown): readonly unknown[] | undefined {
  const cells = field(notebook, "cells");
  if (Array.isArray(cells)) return cells;
  const worksheets = field(notebook, "worksheets");
  if (!Array.isArray(worksheets)) return undefined;
  const lists = worksheets.map((sheet) => field(sheet, "cells")).filter((list) => Array.isArray(list));
  return lists.length > 0 || worksheets.length === 0 ? lists.flat() : undefined;
}

function readCell(cell: unknown): Cell | undefined {
  const type = field(cell, "cell_type");
  const source = readSource(field(cell, "source") ?? field(cell, "input"));
  if (source === undefined) return undefined;
  switch (type) {
    case "code":
      return { type, source };
    case "raw":
    case "markdown":
      return { type, source: withoutImages(source) };
    case "html":
      return { type: "markdown", source: withoutImages(source) };
    case "heading": {
      const level = field(cell, "level");
      const depth = typeof level === "number" && level >= 1 && level <= 6 ? Math.trunc(level) : 1;
      return { type: "markdown", source: withoutImages(`${"#".repeat(depth)} ${source}`) };
    }
    default:
      return undefined;
  }
}

/** A source is one string or a list of lines that carry their line ends. */
function readSource(source: unknown): string | undefined {
  const text = Array.isArray(source)
    ? source.every((line) => typeof line === "string")
      ? source.join("")
      : undefined
    : source;
  if (typeof text !== "string") return undefined;
  // What JSON's escapes can bring in: other line ends, NUL, halves of surrogate pairs.
  return withoutFinalLineFeeds(withLineFeeds(text.toWellFormed()).replaceAll("\0", ""));
}

function withoutImages(text: string): string {
  return text.includes("data:") ? text.replace(/\bdata:image\/[\w.+-]+(?:;[\w.+=-]+)*,[^\s()<>"'\]]*/gi, "") : text;
}

function format({ type, source }: Cell, { open, close }: Comment): string {
  const commented = (line: string): string => (line === "" ? `${open}${close}` : `${open} ${line}${close}`);
  if (type === "code") return `${commented("%%")}\n${source}`;
  return `${commented(`%% [${type}]`)}\n${source.split("\n").map(commented).join("\n")}`;
}
