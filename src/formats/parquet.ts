/** The rows of a Parquet file, row group by row group, of the columns that are wanted; decoding is hyparquet's. */

import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { parquetMetadataAsync, parquetReadObjects, snappyUncompress } from "hyparquet";
import type { AsyncBuffer, Compressors, FileMetaData } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { UserError } from "../errors.ts";
import { openForReading, readExactly } from "./files.ts";
import { MAX_DOCUMENT_BYTES } from "./jsonl.ts";
import type { JsonLine } from "./jsonl.ts";

/** What a file may claim, checked before it is believed: footer in bytes, rows and values of a row group, its bytes. */
const most = { footer: 64 << 20, rows: 4 << 20, values: 64 << 20, groupBytes: 1 << 30 };

/**
 * Reads the rows of a Parquet file as objects; `line` is a row's number from 1. Columns that the file does not have are
 * absent, null cells are null or undefined. Memory: the wanted columns of one row group.
 *
 * @throws UserError "not-found"; "damaged" where the file is no Parquet; "invalid" where it has none of the columns; "unsupported" where a row group is larger than
 *   1 GiB or 4 Mi rows in the wanted columns, or an encoding is not known
 */
export async function* readParquet(path: string, columns: readonly string[]): AsyncGenerator<JsonLine, void, void> {
  const { handle, size } = await openForReading(path);
  const file: AsyncBuffer = {
    byteLength: size,
    async slice(start, end = size) {
      if (!(start >= 0 && start <= end && end <= size && end - start <= most.groupBytes)) {
        throw new Error(`bytes ${start} to ${end} of ${size} do not exist`);
      }
      const bytes = new Uint8Array(end - start);
      await readExactly(handle, bytes, start, path);
      return bytes.buffer;
    },
  };
  try {
    const metadata = await guarded(path, () => readMetadata(file));
    const names = new Set(metadata.row_groups.flatMap((group) => group.columns.map(nameOf)));
    const wanted = columns.filter((column) => names.has(column));
    if (wanted.length === 0) {
      throw new UserError("invalid", `${path} has the columns ${[...names].join(", ").slice(0, 200)}`, {
        hint: `columns that are read here are ${columns.join(", ")}`,
      });
    }
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      checkGroup(group, wanted, path);
      const rowEnd = rowStart + Number(group.num_rows);
      const rows = await guarded(path, async () => {
        for (const column of group.columns) if (wanted.includes(nameOf(column))) await checkPages(file, column);
        return parquetReadObjects({ file, metadata, columns: wanted, rowStart, rowEnd, compressors });
      });
      for (const [i, value] of rows.entries()) yield { line: rowStart + i + 1, value };
      rowStart = rowEnd;
    }
  } finally {
    await handle.close();
  }
}

type RowGroup = FileMetaData["row_groups"][number];

function nameOf(column: RowGroup["columns"][number]): string {
  return column.meta_data?.path_in_schema[0] ?? "";
}

async function readMetadata(file: AsyncBuffer): Promise<FileMetaData> {
  if (file.byteLength < 12) throw new Error("it is too short");
  const length = new DataView(await file.slice(file.byteLength - 8)).getUint32(0, true);
  if (length > most.footer) throw new Error(`its footer claims ${length} bytes`);
  return parquetMetadataAsync(file);
}

function checkGroup(group: RowGroup, wanted: readonly string[], path: string): void {
  const chunks = group.columns.filter((column) => wanted.includes(nameOf(column))).map((column) => column.meta_data!);
  const bytes = chunks.reduce((sum, chunk) => sum + Number(chunk.total_uncompressed_size), 0);
  const values = chunks.reduce((largest, chunk) => Math.max(largest, Number(chunk.num_values)), 0);
  if (group.num_rows >= 0n && group.num_rows <= most.rows && values <= most.values && bytes <= most.groupBytes) return;
  throw new UserError("unsupported", `${path}: a row group of ${group.num_rows} rows and ${bytes} bytes`, {
    hint: `write it with row groups of at most ${most.rows} rows and ${most.groupBytes} bytes`,
  });
}

/**
 * Walks over the pages of a column before they are decoded: the decoder believes their headers, and would read the
 * same bytes for ever where a size is negative or left out, or make room for values that the column does not have.
 */
async function checkPages(file: AsyncBuffer, { meta_data: column }: RowGroup["columns"][number]): Promise<void> {
  const start = Number(column!.dictionary_page_offset || column!.data_page_offset);
  const view = new DataView(await file.slice(start, start + Number(column!.total_compressed_size)));
  const reader = { view, offset: 0 };
  let values = 0;
  while (reader.offset < view.byteLength - 1) {
    const page = parquetHeader(reader);
    const { data_page_header: first, data_page_header_v2: second, dictionary_page_header: dictionary } = page;
    const data = first ?? second;
    const here = (data ?? dictionary)?.num_values;
    const rest = view.byteLength - reader.offset;
    const levels =
      second === undefined ? 0 : second.repetition_levels_byte_length + second.definition_levels_byte_length;
    const isSized =
      isWithin(page.compressed_page_size, rest) &&
      isWithin(page.uncompressed_page_size, MAX_DOCUMENT_BYTES) &&
      isWithin(levels, page.compressed_page_size) &&
      isWithin(second?.repetition_levels_byte_length ?? 0, levels);
    if (!isSized) throw new Error("a page has an impossible size");
    if (
      !isWithin(here, most.values) ||
      !isWithin(second?.num_rows ?? 0, here) ||
      !isWithin(second?.num_nulls ?? 0, here)
    ) {
      throw new Error("a page has an impossible number of values");
    }
    if (data !== undefined) values += here;
    if (values > Number(column!.num_values)) throw new Error("its pages claim more values than their column");
    reader.offset += page.compressed_page_size;
  }
}

/** Also false for what a header leaves out, although its type says otherwise. */
function isWithin(value: number | undefined, limit: number): value is number {
  return Number.isSafeInteger(value) && value! >= 0 && value! <= limit;
}

/** A page's size is its header's claim: no more than that is ever decompressed, and no claim beyond the limit believed. */
const compressors: Compressors = {
  SNAPPY: (input, length) => {
    const output = new Uint8Array(believable(length));
    snappyUncompress(input, output);
    return output;
  },
  GZIP: (input, length) => gunzipSync(input, { maxOutputLength: believable(length) }),
  BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: believable(length) }),
  ZSTD: (input, length) => zstdDecompressSync(input, { maxOutputLength: believable(length) }),
};

function believable(length: number): number {
  if (length > MAX_DOCUMENT_BYTES) throw new Error(`a page of ${length} bytes`);
  return Math.max(length, 1);
}

/** hyparquet throws plain errors of many kinds at bytes that make no sense. */
async function guarded<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (reason.includes("unsupported")) {
      throw new UserError("unsupported", `${path}: ${reason}`, {
        hint: "write it again as plain Parquet, with zstd or snappy",
        cause,
      });
    }
    throw new UserError("damaged", `${path} is not valid Parquet: ${reason}`, {
      hint: "copy or download the file again",
      cause,
    });
  }
}
