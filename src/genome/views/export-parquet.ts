/** A genome as one Parquet file: a row per gene with its text, for data frames and training frameworks. */
import type { FileHandle } from "node:fs/promises";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { UserError, invariant } from "../../errors.ts";
import { atomicStream } from "../../formats/files.ts";
import { packageVersion } from "../../formats/package-root.ts";
import { readGenes } from "../audit/genes-file.ts";
import type { Gene } from "../gene.ts";
import { readManifest } from "../manifest.ts";
import type { Exported } from "./export-text.ts";
import { readGenomePieces } from "./genome-pieces.ts";
import type { Watched } from "./genome-pieces.ts";
import { checkAbsent } from "./output.ts";

/** A row group is written once its texts have this many characters, or it has this many rows. */
const groupCharacters = 16 << 20;
const groupRows = 10_000;

type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]["schema"][number];

interface Column {
  /** The schema's elements: the column itself, then what lies inside it. */
  readonly elements: readonly SchemaElement[];
  value(gene: Gene, text: string): unknown;
  /** Texts are too long and too different for a dictionary or bounds. */
  readonly plain?: true;
}

const string = { type: "BYTE_ARRAY", converted_type: "UTF8" } as const;
const int64 = { type: "INT64" } as const;
const double = { type: "DOUBLE" } as const;
const timestamp = { type: "INT64", converted_type: "TIMESTAMP_MILLIS" } as const;

function required(name: string, type: Omit<SchemaElement, "name">, value: Column["value"]): Column {
  return { elements: [{ ...type, name, repetition_type: "REQUIRED" }], value };
}

function optional(name: string, type: Omit<SchemaElement, "name">, value: Column["value"]): Column {
  return { elements: [{ ...type, name, repetition_type: "OPTIONAL" }], value };
}

function strings(name: string, value: (gene: Gene) => readonly string[]): Column {
  return {
    elements: [
      { name, repetition_type: "REQUIRED", converted_type: "LIST", num_children: 1 },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      { ...string, name: "element", repetition_type: "REQUIRED" },
    ],
    value,
  };
}

const bigint = (value: number | null): bigint | null => (value === null ? null : BigInt(value));
const date = (value: string | null): Date | null => (value === null ? null : new Date(value));

/** The fields of a gene in the order of genes.jsonl, and its text. */
const columns: readonly Column[] = [
  required("repository", string, ({ repository }) => repository),
  optional("commit", string, ({ commit }) => commit),
  required("path", string, ({ path }) => path),
  required("blob", string, ({ blob }) => blob),
  required("sha256", string, ({ sha256 }) => sha256),
  required("bytes", int64, ({ bytes }) => bigint(bytes)),
  required("textSha256", string, ({ textSha256 }) => textSha256),
  required("textOffset", int64, ({ textOffset }) => bigint(textOffset)),
  required("textBytes", int64, ({ textBytes }) => bigint(textBytes)),
  strings("transforms", ({ transforms }) => transforms),
  required("kind", string, ({ kind }) => kind),
  optional("language", string, ({ language }) => language),
  required("licence", string, ({ licence }) => licence),
  required("repositoryLicence", string, ({ repositoryLicence }) => repositoryLicence),
  optional("tokens", int64, ({ tokens }) => bigint(tokens)),
  optional("firstCommit", timestamp, ({ firstCommit }) => date(firstCommit)),
  optional("lastCommit", timestamp, ({ lastCommit }) => date(lastCommit)),
  optional("changes", int64, ({ changes }) => bigint(changes)),
  {
    elements: [
      { name: "quality", repetition_type: "REQUIRED", num_children: 3 },
      { ...double, name: "lineLength", repetition_type: "REQUIRED" },
      { ...double, name: "alphabetic", repetition_type: "REQUIRED" },
      { ...double, name: "repetition", repetition_type: "REQUIRED" },
    ],
    value: ({ quality }) => quality,
  },
  // The kinds are open, so a struct would differ from genome to genome.
  required("masked", string, ({ masked }) => JSON.stringify(masked)),
  strings("flags", ({ flags }) => flags),
  optional("duplicateClass", string, ({ duplicateClass }) => duplicateClass),
  optional("duplicateKind", string, ({ duplicateKind }) => duplicateKind),
  required("representative", { type: "BOOLEAN" }, ({ representative }) => representative),
  { ...required("text", string, (_, text) => text), plain: true },
];

const schema: SchemaElement[] = [
  { name: "genome", num_children: columns.length },
  ...columns.flatMap(({ elements }) => elements),
];

/**
 * Writes every gene with its text as a row; the columns are the fields of genes.jsonl and `text` (without escapes). The
 * genome is read as a stream, and a row group holds 16 Mi characters of text and at most one text beyond them.
 *
 * @throws UserError "exists"; "damaged" where genes.jsonl and genome.txt do not hold the same files; "not-found"
 */
export async function exportParquet(dir: string, out: string, watched: Watched): Promise<Exported> {
  await checkAbsent(out);
  let bytes = 0;
  await atomicStream(out, async (handle) => {
    const output = createFileWriter(handle);
    const writer = new ParquetWriter({ writer: output, schema, createdBy: `symbiotic-chrysalis ${packageVersion()}` });
    let rows: { gene: Gene; text: string }[] = [];
    let characters = 0;
    const flush = async (): Promise<void> => {
      const columnData = columns.map(({ elements, value, plain }) => ({
        name: elements[0]!.name,
        data: rows.map(({ gene, text }) => value(gene, text)),
        ...(plain === true ? { encoding: "PLAIN" as const, statistics: false } : {}),
      }));
      await writer.write({ columnData, rowGroupSize: rows.length });
      rows = [];
      characters = 0;
    };
    for await (const row of genesWithText(dir, watched)) {
      rows.push(row);
      characters += row.text.length;
      if (characters >= groupCharacters || rows.length >= groupRows) await flush();
    }
    if (rows.length > 0) await flush();
    await writer.finish();
    bytes = output.offset;
  });
  return { out, bytes, files: 1 };
}

/** Genes and texts side by side, both as streams. */
async function* genesWithText(dir: string, watched: Watched): AsyncGenerator<{ gene: Gene; text: string }> {
  const genes = readGenes(dir);
  try {
    for await (const piece of readGenomePieces(dir, await readManifest(dir), watched)) {
      if (piece.type !== "file") continue;
      const next = await genes.next();
      if (next.done === true) throw apart(dir);
      yield { gene: next.value, text: Buffer.from(piece.content).toString("utf8") };
    }
    if ((await genes.next()).done !== true) throw apart(dir);
  } finally {
    await genes.return();
  }
}

function apart(dir: string): UserError {
  return new UserError("damaged", `genes.jsonl and genome.txt of ${dir} do not hold the same files`, {
    hint: "Build the genome again.",
  });
}

/** Appends to a file what the library writes, a row group at a time. */
function createFileWriter(handle: FileHandle): ByteWriter & { flush(): Promise<void> } {
  const writer = new ByteWriter(1 << 20);
  const flush = async (): Promise<void> => {
    invariant(writer.index <= writer.buffer.byteLength, "what is written lies in the buffer");
    await handle.writeFile(new Uint8Array(writer.buffer, 0, writer.index));
    writer.index = 0;
  };
  return Object.assign(writer, { flush, finish: flush });
}
