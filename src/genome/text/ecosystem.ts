/**
 * Reads archived genomes of the ecosystem as streams. Their format escapes nothing, so a text can be read in several
 * ways; this reader takes one, and says with edits how the text differs from what its pieces would be written as.
 */
import { isUtf8 } from "node:buffer";
import { UserError } from "../../errors.ts";
import { sequenceLength } from "../content/utf8.ts";
import { fileEnd, fileStart, repositoryEnd, repositoryStart } from "../genome-text.ts";
import { ByteWindow } from "./byte-window.ts";
import type { Bytes } from "./byte-window.ts";
import type { Edit } from "./edits.ts";
import { largestContent, longestName } from "./pieces.ts";
import type { ParsedFile, TextPiece } from "./pieces.ts";

const newline = Buffer.from("\n");
const closingLine = Buffer.from("\n<|file_end|>");
const repositoryClose = "<|repo_end|>\n";
const byteOrderMark = "\u00ef\u00bb\u00bf";

/**
 * Where a line `<|file_end|>` ends its file: the next line that is not empty must be one that can follow. Any other is
 * content that quotes the format. Up to 8 empty lines are looked over.
 */
const closing =
  /^<\|file_end\|>\r?(?:$|\n(?:\r?\n){0,8}(?:$|<\|file_start\|>|<\|repo_start\|>|<\|repo_end\|>\r?(?:$|\n(?:\r?\n){0,8}(?:$|<\|repo_start\|>))))/;
const closingBytes = 128;
const junkBytes = 1 << 16;

/**
 * Reads a genome text in the ecosystem's format. A line that begins with a marker counts only where the format has a
 * place for it; elsewhere it is content. The pieces as `writeEcosystemText` writes them, with the edits applied, are the
 * text again byte for byte, whatever it holds.
 *
 * @param name how the text is called in messages
 * @throws UserError "invalid" where no line begins a repository; "unsupported", naming the line, where a name has more
 *   than 65,536 bytes or a file more than 2^29 - 24
 */
export async function* readEcosystemText(
  chunks: Bytes,
  name = "the genome text",
): AsyncGenerator<TextPiece | Edit, void, void> {
  const window = new ByteWindow(chunks);
  /** Where the canonical text stands. */
  let canonical = 0;
  const extra = (insert: Uint8Array): Edit => ({ type: "edit", offset: canonical, remove: 0, insert });
  const lacks = (remove: number): Edit => {
    canonical += remove;
    return { type: "edit", offset: canonical - remove, remove, insert: new Uint8Array() };
  };
  /** Takes the end of a line: CRLF, LF, or none at the end of the text. */
  const lineEnd = async function* (): AsyncGenerator<Edit> {
    const ahead = await window.ahead(2);
    if (ahead[0] === 13 && (ahead[1] === 10 || ahead.length === 1)) yield extra(window.take(1));
    if ((await window.ahead(1))[0] === 10) {
      window.skip(1);
      canonical++;
    } else yield lacks(1);
  };
  const junk = async (): Promise<Edit> => {
    const end = await window.find(newline, 0, junkBytes);
    const held = await window.ahead(1);
    return extra(window.take(end >= 0 ? end + 1 : Math.min(held.length, junkBytes)));
  };
  const header = async (start: string): Promise<Uint8Array<ArrayBuffer>> => {
    const end = await window.find(newline, 0, longestName);
    const held = await window.ahead(1);
    const length = end >= 0 ? end : held.length;
    if (length > longestName) throw tooLarge(name, window.line, `a name of more than ${longestName} bytes`);
    const carriageReturn = held[length - 1] === 13 ? 1 : 0;
    canonical += start.length;
    return window.take(length - carriageReturn).subarray(start.length);
  };
  /** Keeps bytes, all but those that are not UTF-8. */
  const keepText = function* (raw: Uint8Array<ArrayBuffer>): Generator<Edit, Uint8Array<ArrayBuffer>> {
    const start = canonical;
    const runs = isUtf8(raw) ? [] : invalidRuns(raw);
    for (const [from, to, before] of runs) {
      canonical = start + from - before;
      yield extra(raw.subarray(from, to));
    }
    const kept = without(raw, runs);
    canonical = start + kept.length;
    return kept;
  };
  const file = async function* (): AsyncGenerator<ParsedFile | Edit> {
    const { line } = window;
    const path = await header(fileStart);
    canonical += path.length;
    yield* lineEnd();
    const found = await findClosing(window);
    if (found === "too-large") throw tooLarge(name, line, `a file of more than ${largestContent} bytes`);
    const closed = found !== undefined;
    const length = found ?? (await window.ahead(0)).length;
    // Lines that end in CRLF: the CR before the marker is no content.
    const held = await window.ahead(length + closingLine.length + 1);
    const hasCarriageReturn =
      closed && length > 0 && held[length - 1] === 13 && held[length + closingLine.length] === 13;
    const raw = window.take(length - (hasCarriageReturn ? 1 : 0));
    const content = yield* keepText(raw);
    yield content === raw ? { type: "file", path, content, line } : { type: "file", path, content, raw, line };
    if (!closed) {
      yield lacks(fileEnd.length);
      return;
    }
    if (hasCarriageReturn) yield extra(window.take(1));
    if ((await window.ahead(1))[0] === 10) {
      window.skip(1);
      canonical++;
    } else yield lacks(1);
    window.skip(closingLine.length - 1);
    canonical += closingLine.length - 1;
    yield* lineEnd();
  };
  try {
    let inRepository = false;
    let repositories = 0;
    if (await window.begins(byteOrderMark)) yield extra(window.take(3));
    // A line longer than a piece of junk goes on in the next one, which begins no line.
    let atLineStart = true;
    while ((await window.ahead(1)).length > 0) {
      const { line } = window;
      if (atLineStart && (await window.begins(repositoryStart))) {
        if (inRepository) {
          yield lacks(repositoryEnd.length);
          yield { type: "repository-end" };
        }
        // A repository's name is text wherever it is used; a path is bytes.
        yield { type: "repository", name: yield* keepText(await header(repositoryStart)), line };
        yield* lineEnd();
        inRepository = true;
        repositories++;
      } else if (atLineStart && inRepository && (await window.begins(fileStart))) {
        yield* file();
      } else if (atLineStart && inRepository && (await isRepositoryEnd(window))) {
        window.skip(repositoryClose.length - 1);
        canonical += repositoryClose.length - 1;
        yield* lineEnd();
        const next = await window.ahead(2);
        if (next[0] === 10 || (next[0] === 13 && next[1] === 10)) yield* lineEnd();
        else yield lacks(1);
        yield { type: "repository-end" };
        inRepository = false;
      } else {
        const edit = await junk();
        atLineStart = edit.insert.at(-1) === 10;
        yield edit;
      }
    }
    if (inRepository) {
      yield lacks(repositoryEnd.length);
      yield { type: "repository-end" };
    }
    if (repositories === 0) {
      throw new UserError("invalid", `${name}: no line begins with ${repositoryStart}`, {
        hint: "Give a genome text, as the ecosystem's scripts or genome export write it.",
      });
    }
  } finally {
    await window.close();
  }
}

/** Writes pieces in the ecosystem's format, as they are: what reads back differently is for the caller to refuse. */
export async function* writeEcosystemText(
  pieces: AsyncIterable<TextPiece> | Iterable<TextPiece>,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const piece of pieces) {
    if (piece.type === "repository") yield Buffer.concat([Buffer.from(repositoryStart), piece.name, newline]);
    else if (piece.type === "repository-end") yield Buffer.from(repositoryEnd);
    else {
      yield Buffer.concat([Buffer.from(fileStart), piece.path, newline]);
      yield piece.content;
      yield Buffer.from(fileEnd);
    }
  }
}

/**
 * Length of the content that lies ahead, without the newline before its end marker; undefined where no marker ends it.
 * A marker at the very start closes a file that lacks even that newline, which is content of length 0 too.
 */
async function findClosing(window: ByteWindow): Promise<number | "too-large" | undefined> {
  if (closing.test((await window.ahead(closingBytes)).toString("latin1", 0, closingBytes))) return 0;
  for (let from = 0; ;) {
    const at = await window.find(closingLine, from, largestContent);
    if (at < 0) return (await window.ahead(0)).length >= largestContent ? "too-large" : undefined;
    const held = await window.ahead(at + 1 + closingBytes);
    if (closing.test(held.toString("latin1", at + 1, at + 1 + closingBytes))) return at;
    from = at + 1;
  }
}

async function isRepositoryEnd(window: ByteWindow): Promise<boolean> {
  const held = (await window.ahead(14)).toString("latin1", 0, 14);
  return /^<\|repo_end\|>(?:$|\n|\r(?:$|\n))/.test(held);
}

/** Runs of bytes that are not UTF-8: from, to, and how many such bytes lie before. */
function invalidRuns(bytes: Uint8Array): [from: number, to: number, before: number][] {
  const runs: [number, number, number][] = [];
  let before = 0;
  for (let i = 0; i < bytes.length;) {
    const size = sequenceLength(bytes, i);
    if (size > 0) {
      i += size;
      continue;
    }
    const last = runs.at(-1);
    if (last?.[1] === i) last[1]++;
    else runs.push([i, i + 1, before]);
    before++;
    i++;
  }
  return runs;
}

function without(
  bytes: Uint8Array<ArrayBuffer>,
  runs: readonly (readonly [from: number, to: number, before: number])[],
): Uint8Array<ArrayBuffer> {
  if (runs.length === 0) return bytes;
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const [from, to] of runs) {
    pieces.push(bytes.subarray(at, from));
    at = to;
  }
  return Buffer.concat([...pieces, bytes.subarray(at)]);
}

function tooLarge(name: string, line: number, what: string): UserError {
  return new UserError("unsupported", `${name} line ${line}: ${what}`, { hint: "Check that it is a genome text." });
}
