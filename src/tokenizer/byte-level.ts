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

const byteOfCharacter = new Map(byteCharacters.map((character, byte) => [character, byte]));

/** The bytes that a token of a byte-level vocabulary stands for; undefined for one that is not written in the alphabet. */
export function bytesOfToken(token: string): Uint8Array | undefined {
  const bytes = Array.from(token, (character) => byteOfCharacter.get(character));
  return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : undefined;
}
