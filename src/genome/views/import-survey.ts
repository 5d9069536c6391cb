/** The first reading of a genome text: what a gene of it cannot know of itself. */
import { escapeName } from "../genome-text.ts";
import { isLicenceCandidate, repositoryLicence } from "../licences/licence.ts";
import type { Edit } from "../text/edits.ts";
import type { TextPiece } from "../text/pieces.ts";

/** A licence candidate that is longer, or the hundredth of a repository, is not looked at. */
const candidateBytes = 1 << 20;
const mostCandidates = 100;

export interface Survey {
  readonly genes: number;
  /** Of each repository, in order. */
  readonly licences: readonly string[];
  /** Lines of contents that begin with a backslash and a marker. */
  readonly escapedLines: number;
}

/** Reads a text to its end. */
export async function surveyText(pieces: AsyncIterable<TextPiece | Edit>): Promise<Survey> {
  const licences: string[] = [];
  let candidates: { path: string; text: string }[] = [];
  let [genes, escapedLines] = [0, 0];
  for await (const piece of pieces) {
    if (piece.type === "repository-end") {
      licences.push(repositoryLicence(candidates));
      candidates = [];
    } else if (piece.type === "file") {
      genes++;
      escapedLines += countEscaped(piece.content);
      const path = escapeName(piece.path);
      if (candidates.length < mostCandidates && piece.content.length <= candidateBytes && isLicenceCandidate(path)) {
        candidates.push({ path, text: Buffer.from(piece.content).toString("utf8") });
      }
    }
  }
  return { genes, licences, escapedLines };
}

function countEscaped(content: Uint8Array<ArrayBuffer>): number {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  if (!bytes.includes("\\<|")) return 0;
  return bytes.toString("latin1").match(/(?<=^|\n)\\+<\|(?:repo|file)_(?:start|end)\|>/g)?.length ?? 0;
}
