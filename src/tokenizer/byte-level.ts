/** The byte-level alphabet of GPT-2: every byte as one printable character, so that a vocabulary can be written as text. */

/**
 * The 256 characters by byte. Printable Latin-1 bytes stand for themselves, all others are moved to U+0100 and up.
 * Source: `bytes_to_unicode` of openai/gpt-2, encoder.py.
 */
export const byteCharacters: readonly string[] = makeAlphabet();

const characterBytes: ReadonlyMap<string, number> = new Map(byteCharacters.map((character, byte) => [character, byte]));

/** The bytes that a byte-level token stands for, or `undefined` where a character is not of the alphabet. */
export function bytesOfToken(token: string): Uint8Array | undefined {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = characterBytes.get(character);
    if (byte === undefined) return undefined;
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

function makeAlphabet(): string[] {
  const printable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let moved = 0;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : 0x100 + moved++));
}
