/** A genome as one text: in the safe format, or in the ecosystem's where that can hold it. */
import { createHash } from "node:crypto";
import { isUtf8 } from "node:buffer";
import { UserError } from "../../errors.ts";
import { escapeContent, escapeName } from "../genome-text.ts";
import { readManifest } from "../manifest.ts";
import { applyEdits } from "../text/edits.ts";
import { writeEcosystemText } from "../text/ecosystem.ts";
import type { TextPiece } from "../text/pieces.ts";
import { writeSafeText } from "../text/safe.ts";
import { hashed, readGenomePieces } from "./genome-pieces.ts";
import type { Watched } from "./genome-pieces.ts";
import { hasImportEdits, readImportEdits } from "./import-edits.ts";
import type { ImportedText } from "./import-edits.ts";
import { writeNewFile } from "./output.ts";

/** What was written. */
export interface Exported {
  readonly out: string;
  readonly bytes: number;
  /** Files written: texts, and what else the format has. */
  readonly files: number;
}

/**
 * Writes a genome as one text. A genome that was imported from a text of the ecosystem comes out in that format with the
 * identical bytes, which is checked before the file appears.
 *
 * @throws UserError "unsupported" naming the file whose name or content the ecosystem's format cannot hold; "exists";
 *   "damaged"; "not-found"
 */
export async function exportText(
  dir: string,
  out: string,
  { format, ...watched }: Watched & { readonly format: "safe" | "ecosystem" },
): Promise<Exported> {
  const manifest = await readManifest(dir);
  const pieces = readGenomePieces(dir, manifest, watched);
  const written = (chunks: AsyncIterable<Uint8Array>): Promise<number> => writeNewFile(out, chunks);
  if (format === "safe") return { out, bytes: await written(writeSafeText(pieces)), files: 1 };
  if (!hasImportEdits(dir)) return { out, bytes: await written(writeEcosystemText(representable(pieces))), files: 1 };
  return { out, bytes: await written(restored(dir, pieces)), files: 1 };
}

/** The text that was imported, which it throws after the last piece if it is not. */
async function* restored(dir: string, pieces: AsyncIterable<TextPiece>): AsyncGenerator<Uint8Array, void, void> {
  const hash = createHash("sha256");
  let text: ImportedText | undefined;
  const edits = readImportEdits(dir, (found) => (text = found));
  yield* hashed(applyEdits(writeEcosystemText(pieces), edits), hash);
  if (hash.digest("hex") !== text?.sha256) {
    throw new UserError("damaged", `${dir} does not give the text that was imported into it`, {
      hint: "Import the text again.",
    });
  }
}

/** Refuses what would not read back from a format that escapes nothing. */
async function* representable(pieces: AsyncIterable<TextPiece>): AsyncGenerator<TextPiece, void, void> {
  let repository = "";
  for await (const piece of pieces) {
    if (piece.type === "repository") {
      repository = named(piece.name, "the repository");
    } else if (piece.type === "file") {
      const path = named(piece.path, `${repository}:`);
      const bytes = Buffer.from(piece.content.buffer, piece.content.byteOffset, piece.content.length);
      const marker = bytes.includes("<|") ? lineOfMarker(bytes.toString("utf8")) : undefined;
      if (marker !== undefined) {
        throw refused(`${repository}/${path} line ${marker} begins with a marker of the format`);
      }
    }
    yield piece;
  }
}

function named(name: Uint8Array, what: string): string {
  const escaped = escapeName(name);
  if (isUtf8(name) && escaped === Buffer.from(name).toString()) return escaped;
  throw refused(`the name of ${what} ${escaped} has a backslash, a line break or bytes that are not UTF-8`);
}

/** The number of the first line that begins with a marker. */
function lineOfMarker(text: string): number | undefined {
  const lines = text.split("\n");
  const at = lines.findIndex((line) => line.startsWith("<|") && escapeContent(line) !== line);
  return at < 0 ? undefined : at + 1;
}

function refused(what: string): UserError {
  return new UserError("unsupported", `${what}, which the ecosystem's format cannot hold`, {
    hint: "Export it with --format safe, or leave the file out of the genome.",
  });
}
