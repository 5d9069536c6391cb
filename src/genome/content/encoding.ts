/** Which encoding bytes are text in, and their characters. It knows nothing of files. */
import { isUtf8 } from "node:buffer";
import { dropInvalid, sequenceLength } from "./utf8.ts";

export type Encoding = "utf-8" | "flawed-utf-8" | "utf-16" | "utf-32" | "windows-1252";

export interface Characters {
  readonly text: string;
  readonly encoding: Encoding;
}

/** More than this share of invalid bytes is another encoding, not UTF-8 with a flaw. */
const repairable = 0.1;
/** More than this share of control characters is no text, whatever the encoding. */
const controlShare = 0.02;

/**
 * The characters of a text file. UTF-16 and UTF-32 are known by their byte order mark, which goes; that of UTF-8 stays
 * as U+FEFF. Bytes that are not UTF-8 are read as windows-1252 where they look like it, else the invalid ones are dropped.
 *
 * @returns "binary" where it is no text, "not-utf8" where it is text in an encoding that is not read here
 */
export function decodeCharacters(bytes: Uint8Array): Characters | "binary" | "not-utf8" {
  const wide = wideEncoding(bytes);
  if (wide !== undefined) {
    const text = wide(bytes);
    if (text === undefined) return "binary";
    return { text, encoding: wide === utf32 ? "utf-32" : "utf-16" };
  }
  if (bytes.includes(0) || isControlled(bytes) || isPdf(bytes)) return "binary";
  if (isUtf8(bytes)) return { text: asString(bytes), encoding: "utf-8" };
  if (looksLikeWindows1252(bytes)) return { text: windows1252(bytes), encoding: "windows-1252" };
  const valid = dropInvalid(bytes);
  if (bytes.length - valid.length > repairable * bytes.length) return "not-utf8";
  return { text: asString(valid), encoding: "flawed-utf-8" };
}

function asString(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

/** Bell, shift, escape and the like make up more than text and terminal logs have of them. */
function isControlled(bytes: Uint8Array): boolean {
  let controls = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    // Tab to carriage return, and escape, which colours the lines of logs.
    if (byte < 0x20 && (byte < 0x09 || byte > 0x0d) && byte !== 0x1b) controls++;
  }
  return controls > controlShare * bytes.length;
}

/** PDF may well be free of NUL, and most of it valid UTF-8. */
function isPdf(bytes: Uint8Array): boolean {
  return asString(bytes.subarray(0, 5)) === "%PDF-";
}

function wideEncoding(bytes: Uint8Array): ((bytes: Uint8Array) => string | undefined) | undefined {
  const [a, b, c, d] = bytes;
  if (bytes.length >= 4 && a === 0 && b === 0 && c === 0xfe && d === 0xff) return utf32;
  // Also the start of UTF-16 whose first character is NUL, which is no text.
  if (bytes.length >= 4 && a === 0xff && b === 0xfe && c === 0 && d === 0) return utf32;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) return utf16;
  return undefined;
}

/** Text of UTF-16 with its mark, or undefined for lone surrogates, NUL and half a unit, which are signs of binary data. */
function utf16(bytes: Uint8Array): string | undefined {
  if (bytes.length % 2 !== 0) return undefined;
  const units = Buffer.from(bytes.subarray(2)); // A copy, since swapping is done in place.
  const text = (bytes[0] === 0xfe ? units.swap16() : units).toString("utf16le");
  return text.isWellFormed() && !text.includes("\0") ? text : undefined;
}

function utf32(bytes: Uint8Array): string | undefined {
  if (bytes.length % 4 !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const littleEndian = bytes[0] === 0xff;
  const pieces: string[] = [];
  let units: number[] = [];
  for (let at = 4; at < bytes.length; at += 4) {
    const point = view.getUint32(at, littleEndian);
    if (point === 0 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return undefined;
    units.push(point);
    if (units.length < 4096) continue; // As many arguments as a call surely takes.
    pieces.push(String.fromCodePoint(...units));
    units = [];
  }
  return pieces.join("") + String.fromCodePoint(...units);
}

/** Characters of the bytes 0x80 to 0x9F (WHATWG Encoding, index windows-1252); U+FFFD for the five that have none. */
const windows1252Controls = "€\ufffd‚ƒ„…†‡ˆ‰Š‹Œ\ufffdŽ\ufffd\ufffd‘’“”•–—˜™š›œ\ufffdžŸ";

function windows1252(bytes: Uint8Array): string {
  const pieces: string[] = []; // Piece by piece, since a replacement holds all its matches.
  for (let at = 0; at < bytes.length; at += 1 << 20) {
    const latin = Buffer.from(bytes.subarray(at, at + (1 << 20))).toString("latin1");
    pieces.push(latin.replace(/[\x80-\x9f]/g, (unit) => windows1252Controls[unit.charCodeAt(0) - 0x80]!));
  }
  return pieces.join("");
}

/**
 * Whether bytes that are not UTF-8 look like text in windows-1252 or ISO 8859-1 of a language written in Latin letters:
 * letters with accents stand singly or in twos within words of ASCII letters, and all else above ASCII is punctuation.
 * Runs of three and more are another script in another encoding (Cyrillic, Greek, Chinese).
 */
function looksLikeWindows1252(bytes: Uint8Array): boolean {
  let plain = 0; // ASCII letters.
  let within = 0; // Accented letters with a letter beside them, quotes, dashes and the ellipsis.
  let alone = 0; // Accented letters that are a word of their own, and other punctuation.
  let odd = 0; // Within a word, punctuation would be a letter of another code page.
  let run = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte < 0x80) {
      if (isAsciiLetter(byte)) plain++;
      run = 0;
      continue;
    }
    if (sequenceLength(bytes, i) > 1) return false; // That would be chance in another encoding: UTF-8 with flaws.
    if (isAccented(byte)) {
      run++;
      const before = bytes[i - 1] ?? 0x20;
      const after = bytes[i + 1] ?? 0x20;
      if (run > 2) odd++;
      else if (isAsciiLetter(before) || isAsciiLetter(after)) within++;
      else if (run === 1 && !isAccented(after)) alone++;
    } else {
      run = 0;
      const joins = isAsciiLetter(bytes[i - 1] ?? 0x20) && isAsciiLetter(bytes[i + 1] ?? 0x20);
      if (byte === 0x85 || (byte >= 0x91 && byte <= 0x97)) within++;
      else if (latinPunctuation.has(byte) && (byte === 0xa0 || !joins)) alone++;
      else odd++;
    }
  }
  return odd === 0 && within + alone > 0 && alone <= Math.max(within, 0.02 * plain) && within <= 0.5 * plain;
}

function isAsciiLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

/** Letters above ASCII but the rarest (ÿ is 0xFF, which broken data is full of). */
function isAccented(byte: number): boolean {
  if (byte >= 0xc0) return byte !== 0xd7 && byte !== 0xf7 && byte !== 0xff;
  return byte === 0x8a || byte === 0x8c || byte === 0x8e || byte === 0x9a || byte === 0x9c || byte === 0x9e;
}

/** Euro, angle quotes, trademark, no-break space, currency, section, copyright, degree, superscripts and so on. */
const latinPunctuation = new Set([
  0x80, 0x84, 0x8b, 0x99, 0x9b, 0xa0, 0xa1, 0xa3, 0xa5, 0xa7, 0xa9, 0xaa, 0xab, 0xae, 0xb0, 0xb1, 0xb2, 0xb5, 0xb7,
  0xba, 0xbb, 0xbd, 0xbf, 0xd7,
]);
