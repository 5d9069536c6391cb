/** Looks through texts of any size: no array of their lines, and no pattern that could take long or hold all its matches. */

/** Lengths of the lines, in UTF-16 units without the line feeds; a text has one line more than line feeds. */
function* lineLengths(text: string): Generator<number, void, void> {
  for (let at = 0; at <= text.length;) {
    const found = text.indexOf("\n", at);
    const end = found < 0 ? text.length : found;
    yield end - at;
    at = end + 1;
  }
}

export function longestLine(text: string): number {
  let longest = 0;
  for (const length of lineLengths(text)) longest = Math.max(longest, length);
  return longest;
}

export function meanLine(text: string): number {
  let lines = 0;
  for (const _ of lineLengths(text)) lines++;
  return text.length / lines;
}

export function withoutFinalLineFeeds(content: string): string {
  let end = content.length;
  while (end > 0 && content[end - 1] === "\n") end--;
  return content.slice(0, end);
}

/** Turns CRLF and CR of well-formed text into LF. In bytes, since replacing by pattern takes 36 bytes for each match. */
export function withLineFeeds(text: string): string {
  if (!text.includes("\r")) return text;
  const bytes = Buffer.from(text);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte !== 0x0d) bytes[length++] = byte;
    else if (bytes[i + 1] !== 0x0a) bytes[length++] = 0x0a;
  }
  return bytes.toString("utf8", 0, length);
}

/** Whether these characters (UTF-16 units) come up more than `most` times together. */
export function hasMoreThan(most: number, characters: string, text: string): boolean {
  const wanted = new Uint8Array(1 << 16);
  for (let i = 0; i < characters.length; i++) wanted[characters.charCodeAt(i)] = 1;
  let count = 0;
  for (let i = 0; i < text.length; i++) count += wanted[text.charCodeAt(i)]!;
  return count > most;
}
