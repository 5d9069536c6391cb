/** Genomes as tests of the text formats make and compare them. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import type { TextPiece } from "./pieces.ts";

export const markers = ["<|repo_start|>", "<|repo_end|>", "<|file_start|>", "<|file_end|>"];

/** A repository of a test: its name, and the paths and contents of its files; text as UTF-8. */
export type TestGenome = readonly {
  readonly name: string | Uint8Array;
  readonly files: readonly { readonly path: string | Uint8Array; readonly content: string }[];
}[];

export function genomes(of: {
  readonly name: fc.Arbitrary<string | Uint8Array>;
  readonly content: fc.Arbitrary<string>;
}): fc.Arbitrary<TestGenome> {
  const { name, content } = of;
  return fc.array(fc.record({ name, files: fc.array(fc.record({ path: name, content }), { maxLength: 4 }) }), {
    maxLength: 3,
  });
}

export function piecesOf(genome: TestGenome): TextPiece[] {
  return genome.flatMap(({ name, files }): TextPiece[] => [
    { type: "repository", name: Buffer.from(name), line: 0 },
    ...files.map(({ path, content }): TextPiece => ({
      type: "file",
      path: Buffer.from(path),
      content: Buffer.from(content),
      line: 0,
    })),
    { type: "repository-end" },
  ]);
}

/** Repository and path in hexadecimal and SHA-256 of each file, in order. */
export function listOf(pieces: readonly TextPiece[]): string[][] {
  let repository = "";
  return pieces.flatMap((piece) => {
    if (piece.type === "repository") repository = Buffer.from(piece.name).toString("hex");
    if (piece.type !== "file") return [];
    const sha256 = createHash("sha256").update(piece.content).digest("hex");
    return [[repository, Buffer.from(piece.path).toString("hex"), sha256]];
  });
}

/** Bytes in pieces of the given sizes, the rest in one. */
export function* cut(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}
