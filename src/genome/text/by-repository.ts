/** A stream of pieces, cut where its repositories begin. */
import { invariant } from "../../errors.ts";
import type { TextPiece } from "./pieces.ts";

export interface RepositoryPieces {
  readonly name: Uint8Array;
  /** The number of the line with its header, from 1. */
  readonly line: number;
  /** All of the repository, from its header to its end. */
  readonly pieces: AsyncGenerator<TextPiece, void, void>;
}

/** The repositories of a text, one after the other: each must be read to its end before the next is asked for. */
export async function* byRepository(pieces: AsyncIterable<TextPiece>): AsyncGenerator<RepositoryPieces, void, void> {
  const list = pieces[Symbol.asyncIterator]();
  try {
    for (let next = await list.next(); next.done !== true; next = await list.next()) {
      const first = next.value;
      invariant(first.type === "repository", "a genome text is made of repositories");
      const { name, line } = first;
      yield { name, line, pieces: oneRepository(first, list) };
    }
  } finally {
    await list.return?.();
  }
}

async function* oneRepository(first: TextPiece, list: AsyncIterator<TextPiece>): AsyncGenerator<TextPiece, void, void> {
  yield first;
  for (let next = await list.next(); next.done !== true; next = await list.next()) {
    yield next.value;
    if (next.value.type === "repository-end") return;
  }
}
