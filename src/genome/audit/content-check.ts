/** Whether bytes that come in pieces can stand as one file's content in genome.txt. */
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";

const lineStart = Buffer.from("\n<|");
const marker = /^<\|(?:repo|file)_(?:start|end)\|>/;
/** More than any marker with the newline before it, less its last byte. */
const keptBytes = 18;

export interface ContentCheck {
  add(piece: Uint8Array): void;
  /** The SHA-256 of all pieces, and what is wrong with them beside. */
  end(): { readonly sha256: string; readonly wrong: string | undefined };
}

/** Hashes a content and looks for bytes that are not UTF-8 and for lines that begin with a marker, unescaped. */
export function createContentCheck(): ContentCheck {
  const hash = createHash("sha256");
  let wrong: string | undefined;
  // Always begins where a character begins; the first line begins a line too.
  let kept: Buffer = Buffer.from("\n");
  return {
    add(piece) {
      hash.update(piece);
      const window = Buffer.concat([kept, piece]);
      if (!isUtf8(window.subarray(0, lastWhole(window)))) wrong ??= "is not UTF-8";
      for (let at = window.indexOf(lineStart); at >= 0; at = window.indexOf(lineStart, at + 1)) {
        if (marker.test(window.toString("latin1", at + 1, at + keptBytes))) wrong ??= "has a line that begins a marker";
      }
      kept = window.subarray(characterFrom(window, Math.max(window.length - keptBytes, 0)));
    },
    end: () => ({ sha256: hash.digest("hex"), wrong: wrong ?? (isUtf8(kept) ? undefined : "is not UTF-8") }),
  };
}

/** The end of the last character that is wholly there. */
function lastWhole(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) {
      const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return size > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}

/** Where the next character begins, at `from` or up to three bytes later. */
function characterFrom(bytes: Uint8Array, from: number): number {
  for (let at = from; at < from + 4; at++) if ((bytes[at]! & 0xc0) !== 0x80) return at;
  return from;
}
