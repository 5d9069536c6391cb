/** Own data as genes: the records of data files, masked and without repeats, in chunks that are chosen and held out as files are. */
import { createHash } from "node:crypto";
import { basename, relative, sep } from "node:path";
import { UserError } from "../../errors.ts";
import { sha256OfFile } from "../../formats/files.ts";
import type { Gene } from "../../genome/manifest.ts";
import { OWN_DATA } from "../rules.ts";
import { createChunks } from "./chunks.ts";
import type { Chunk } from "./chunks.ts";
import { dataFiles } from "./data-files.ts";
import { isTrainable } from "./forms.ts";
import type { Form } from "./forms.ts";
import { describeData, readData } from "./read-data.ts";
import { maskRecord, recordLine } from "./record-line.ts";
import type { Mask } from "./record-line.ts";
import { freeName } from "./with-data.ts";

/** All records are held in memory, in bytes. */
export const MOST_BYTES = 1 << 30;

/** A data file, or a folder of them, and what a repository of it would be called. */
export interface DataSource {
  readonly path: string;
  /** Default: the last part of the path. */
  readonly name?: string;
}

export interface DataFile {
  /** The name of what was given, and for a folder's files their paths in it. */
  readonly name: string;
  /** Of the file as it is. */
  readonly sha256: string;
  readonly form: Form;
  /** Records in its chunks. */
  readonly records: number;
  /** Records that equal an earlier one, of any file. */
  readonly repeated: number;
  /** Records in which there is nothing to train. */
  readonly untrained: number;
  /** Pieces masked, by kind. */
  readonly masked: Readonly<Record<string, number>>;
  readonly chunks: readonly DataGene[];
}

/** A chunk of records as a gene; its path says which of the file's records it holds, from the first to the last. */
export interface DataGene {
  readonly gene: Gene;
  readonly text: Buffer;
}

export interface OwnDataOptions {
  /** The form of all files; default: of each file what its first 100 records have. */
  readonly form?: Form | undefined;
  /** Takes secrets and personal data out, as the genome's texts are. */
  readonly mask: Mask;
}

/**
 * Reads data files, and folders of them. Each of `sources` is named as a repository would be, its chunks as files in it:
 * `chats.jsonl/000001-000064.jsonl`, `folder/part/chats.jsonl/000001-000064.jsonl`. A chunk's text is JSONL, one record a
 * line with the fields of its form (dialogues of every form as `messages`): the same for the same records.
 *
 * @throws UserError as `readData`; "empty" for a file without records, or files without one to train on; "unsupported" for
 *   more than 1 GiB of records
 */
export async function readOwnData(sources: readonly DataSource[], options: OwnDataOptions): Promise<DataFile[]> {
  const names = new Set<string>();
  const seen = new Set<string>();
  const files: DataFile[] = [];
  let bytes = 0;
  for (const { path, name = basename(path) } of sources) {
    const repository = freeName(name, names);
    names.add(repository);
    for (const source of await dataFiles(path)) {
      const inside = relative(path, source).split(sep).join("/");
      const file = await readFile(source, { ...options, repository, inside, seen });
      bytes += file.chunks.reduce((sum, { text }) => sum + text.length, 0);
      if (bytes > MOST_BYTES) {
        throw new UserError("unsupported", `the data files up to ${source} hold more than 1 GiB of records`, {
          hint: "give a part of them: no body that is trained here holds so much",
        });
      }
      files.push(file);
    }
  }
  if (sources.length > 0 && files.every(({ chunks }) => chunks.length === 0)) {
    throw new UserError(
      "empty",
      `there is nothing to train in the records of ${sources.map(({ path }) => path).join(", ")}`,
      {
        hint: "give dialogues with answers, prompts with completions, or texts",
      },
    );
  }
  return files;
}

interface Place {
  readonly repository: string;
  /** Path in a folder; empty for a file that was named itself. */
  readonly inside: string;
  /** Hashes of the records so far. */
  readonly seen: Set<string>;
}

async function readFile(source: string, options: OwnDataOptions & Place): Promise<DataFile> {
  const { repository, inside, seen, mask } = options;
  const [described] = await describeData(source, options.form === undefined ? {} : { form: options.form });
  const { form } = described!;
  const chunks = createChunks();
  const masked: Record<string, number> = {};
  const count = (kind: string, pieces: number): void => void (masked[kind] = (masked[kind] ?? 0) + pieces);
  let [number, records, repeated, untrained] = [0, 0, 0, 0];
  for await (const { record } of readData(source, { form })) {
    number += 1;
    if (!isTrainable(record)) {
      untrained += 1;
      continue;
    }
    const line = recordLine(form, maskRecord(record, mask, count));
    const hash = createHash("sha256").update(line).digest("base64");
    if (seen.has(hash)) {
      repeated += 1;
      continue;
    }
    seen.add(hash);
    records += 1;
    chunks.add(line, number);
  }
  const kind = form === "text" ? "prose" : "dialogue";
  return {
    name: inside === "" ? repository : `${repository}/${inside}`,
    sha256: await sha256OfFile(source),
    form,
    records,
    repeated,
    untrained,
    masked,
    chunks: chunks.end().map((chunk) => ({ gene: geneOf(chunk, { repository, inside, kind }), text: chunk.text })),
  };
}

function geneOf(
  { text, first, last }: Chunk,
  { repository, inside, kind }: Pick<Place, "repository" | "inside"> & Pick<Gene, "kind">,
): Gene {
  const [from, to] = [first, last].map((number) => String(number).padStart(6, "0"));
  const sha256 = createHash("sha256").update(text).digest("hex");
  return {
    repository,
    commit: null,
    path: `${inside === "" ? "" : `${inside}/`}${from}-${to}.jsonl`,
    blob: createHash("sha1").update(`blob ${text.length}\0`).update(text).digest("hex"),
    sha256,
    bytes: text.length,
    textSha256: sha256,
    // It stands in no genome.txt.
    textOffset: 0,
    textBytes: text.length,
    transforms: [],
    kind,
    language: "jsonl",
    licence: "unknown",
    repositoryLicence: "unknown",
    tokens: null,
    firstCommit: null,
    lastCommit: null,
    changes: null,
    // Figures of a text's lines, which say nothing of records.
    quality: { lineLength: 0, alphabetic: 0, repetition: 0 },
    // They are counted by file.
    masked: {},
    flags: [OWN_DATA],
    duplicateClass: null,
    duplicateKind: null,
    representative: true,
  };
}
