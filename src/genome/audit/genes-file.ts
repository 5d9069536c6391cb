/** `genes.jsonl` read row by row, so that a genome of any size can be checked in little memory. */
import { join } from "node:path";
import { UserError } from "../../errors.ts";
import { geneSchema } from "../gene.ts";
import type { Gene } from "../gene.ts";
import { unescapeName } from "../genome-text.ts";
import { openInside, piecesOf } from "./folder.ts";

const fileName = "genes.jsonl";
/** A path of 4,096 bytes, escaped twice, and every list of a gene fit many times over. */
const limitBytes = 4 << 20;

/**
 * The genes of a folder, in order, each checked against the schema.
 *
 * @throws UserError "damaged" naming the line, "not-found", "invalid" where the file is none
 */
export async function* readGenes(folder: string): AsyncGenerator<Gene, void, void> {
  let number = 0;
  for await (const line of linesOf(folder, fileName)) {
    number++;
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line));
    } catch (cause) {
      throw damaged(join(folder, fileName), number, "it is not JSON in UTF-8", cause);
    }
    const { success, data, error } = geneSchema.safeParse(value);
    if (!success) {
      const issue = error.issues[0];
      throw damaged(
        join(folder, fileName),
        number,
        `${issue?.path.join(".") ?? "it"}: ${issue?.message ?? "invalid"}`,
        error,
      );
    }
    yield data;
  }
}

/** The bytes of a gene's path as git has it. */
export function rawPath({ path, flags }: Pick<Gene, "path" | "flags">): Uint8Array {
  return flags.includes("path-escaped") ? unescapeName(path) : Buffer.from(path);
}

/**
 * The lines of a file of genes, each with memory of its own.
 *
 * @throws UserError "damaged" naming the line where one is too long, or the last does not end
 */
export async function* linesOf(folder: string, name: string): AsyncGenerator<Buffer, void, void> {
  const { handle, size } = await openInside(folder, name);
  try {
    let rest = Buffer.alloc(0);
    let number = 1;
    for await (const piece of piecesOf(handle, 0, size)) {
      let from = 0;
      for (let end = piece.indexOf(0x0a); end >= 0; end = piece.indexOf(0x0a, from), number++) {
        // Copied, since the piece is overwritten by the next.
        yield Buffer.concat([rest, piece.subarray(from, end)]);
        rest = Buffer.alloc(0);
        from = end + 1;
      }
      rest = Buffer.concat([rest, piece.subarray(from)]);
      if (rest.length > limitBytes) throw damaged(join(folder, name), number, `it has more than ${limitBytes} bytes`);
    }
    if (rest.length > 0) throw damaged(join(folder, name), number, "it does not end with a newline");
  } finally {
    await handle.close();
  }
}

function damaged(path: string, line: number, what: string, cause?: unknown): UserError {
  return new UserError("damaged", `${path} line ${line}: ${what}`, {
    hint: "Build the genome again.",
    cause,
  });
}
