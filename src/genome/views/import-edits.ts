/**
 * `import-edits.jsonl`: how an imported text differs from what its genes would be written as, one edit per line, and a
 * last line with the size and SHA-256 of the whole text. With it an export gives the identical bytes.
 */
import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { UserError } from "../../errors.ts";
import type { Edit } from "../text/edits.ts";

export const importEditsName = "import-edits.jsonl";

const count = z.number().int().nonnegative();
const rowSchema = z.union([
  z.object({ offset: count, remove: count, insert: z.base64() }),
  z.object({ bytes: count, sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
]);

/** The text that was imported. */
export interface ImportedText {
  readonly bytes: number;
  readonly sha256: string;
}

export function editRow({ offset, remove, insert }: Edit): string {
  return `${JSON.stringify({ offset, remove, insert: Buffer.from(insert).toString("base64") })}\n`;
}

export function importedRow({ bytes, sha256 }: ImportedText): string {
  return `${JSON.stringify({ bytes, sha256 })}\n`;
}

/** Whether a genome was imported from a text of the ecosystem. */
export function hasImportEdits(dir: string): boolean {
  return existsSync(join(dir, importEditsName));
}

/**
 * Reads the edits in order; `onText` is told of the text after the last.
 *
 * @throws UserError "damaged" naming the line
 */
export async function* readImportEdits(
  dir: string,
  onText: (text: ImportedText) => void,
): AsyncGenerator<Edit, void, void> {
  const path = join(dir, importEditsName);
  let number = 0;
  let ended = false;
  const file = createReadStream(path);
  try {
    for await (const line of createInterface({ input: file, crlfDelay: Infinity })) {
      number++;
      const row = ended ? undefined : rowSchema.safeParse(parseJson(line)).data;
      if (row === undefined) throw damaged(`${path} line ${number} is not an edit`);
      if ("sha256" in row) {
        ended = true;
        onText(row);
      } else {
        const { offset, remove, insert } = row;
        yield { type: "edit", offset, remove, insert: Buffer.from(insert, "base64") };
      }
    }
  } finally {
    file.destroy();
  }
  if (!ended) throw damaged(`${path} ends without the hash of the text`);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function damaged(what: string): UserError {
  return new UserError("damaged", what, { hint: "Import the text again." });
}
