/** Files and folders a user names, as documents to be measured. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { asUserError } from "../formats/files.ts";
import { readDocuments } from "../formats/jsonl.ts";
import type { Document } from "./bits-per-byte.ts";

export interface MeasuredFiles {
  readonly documents: readonly Document[];
  /** Files of a folder that are not text. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

interface ReadOptions {
  readonly split?: string;
  readonly sequencesOf?: (line: Readonly<Record<string, unknown>>) => Document["sequences"];
}

/**
 * Reads text files (one document each) and .jsonl or .jsonl.gz (one per line, in `text`); of a folder every regular
 * file below it but those under `.git`, in the order of their paths. A line that names its `repository` and `path` is
 * called by them and grouped by the former, anything else by its file.
 *
 * @param options.split only lines whose `split` is this; a text file has none and is refused
 * @param options.sequencesOf how a line of .jsonl is read where that is not as its text
 * @throws UserError `not-found`; `damaged` for a named file that is not UTF-8 or JSONL; `empty` when nothing was read
 */
export async function readFilesToMeasure(paths: readonly string[], options: ReadOptions = {}): Promise<MeasuredFiles> {
  const documents: Document[] = [];
  const skipped: { path: string; reason: string }[] = [];
  for (const path of paths) {
    if (!(await isFolder(path))) {
      documents.push(...(await readFile(path, options)));
      continue;
    }
    for (const file of await filesBelow(path)) {
      try {
        documents.push(...(await readFile(file, options)));
      } catch (error) {
        if (!(error instanceof UserError) || error.code !== "damaged") throw error;
        skipped.push({ path: file, reason: error.message });
      }
    }
  }
  if (documents.length === 0) {
    const where = options.split === undefined ? "" : ` of the split "${options.split}"`;
    throw new UserError("empty", `no text${where} in ${paths.join(", ")}`, {
      hint: "give text, .jsonl or .jsonl.gz files",
    });
  }
  return { documents, skipped };
}

async function readFile(path: string, options: ReadOptions): Promise<Document[]> {
  const documents: Document[] = [];
  for await (const { id, text, fields } of readDocuments(path, options)) {
    const { repository, path: inside } = fields;
    if (typeof repository === "string" && typeof inside === "string") {
      const sequences = options.sequencesOf?.(fields);
      documents.push({ id: `${repository}/${inside}`, text, group: repository, ...(sequences && { sequences }) });
    } else {
      const line = /#\d+$/.exec(id)?.[0];
      documents.push({ id: /\.jsonl(\.gz)?$/i.test(path) && line ? path + line : path, text });
    }
  }
  return documents;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw asUserError(error, path);
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const files: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isFile()) files.push(path);
    else if (entry.isDirectory() && entry.name !== ".git") files.push(...(await filesBelow(path)));
  }
  return files;
}
