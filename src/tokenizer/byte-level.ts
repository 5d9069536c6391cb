/** The byte-level alphabet of GPT-2: every byte as one printable character, so that a vocabulary can be written as text. */

/**
 * The 256 characters by byte. Printable Latin-1 bytes stand for themselves, all others are moved to U+0100 and up.
 * Source: `bytes_to_unicode` of openai/gpt-2, encoder.py.
 */
export const byteCharacters: readonly string[] = makeAlphabet();

function makeAlphabet(): string[] {
  const printable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let moved = 0;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : 0x100 + moved++));
}
