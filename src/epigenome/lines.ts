/** Lines of a text as hashes: how the overlap of two texts is measured without keeping either. */

/** Shorter lines (braces, headings, blank lines) recur everywhere and say nothing about a copy. */
const MIN_CHARACTERS = 20;

/**
 * 53-bit hashes of a text's lines of 20 characters or more, surrounding white space apart, one per occurrence. With
 * `mask`, numbers and hexadecimal words count as equal, so that tables and logs of one form are seen as such.
 */
export function lineHashes(text: string, options: { mask: boolean }): number[] {
  const hashes: number[] = [];
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (line.length < MIN_CHARACTERS) continue;
    if (line.length < 2 * MIN_CHARACTERS && [...line].length < MIN_CHARACTERS) continue; // surrogate pairs are one
    hashes.push(hash53(options.mask ? maskNumbers(line) : line));
  }
  return hashes;
}

/** Words of 6 and more hexadecimal digits with a decimal one among them, `0x...`, and runs of digits become `#`. */
export function maskNumbers(line: string): string {
  return line.replace(/\b(?:0x[0-9a-f]+|(?=[a-f]*[0-9])[0-9a-f]{6,})\b/gi, "#").replace(/\d+/g, "#");
}

/** Part of `lines` that `occurs` knows; 0 where there is no line. */
export function shareOf(lines: readonly number[], occurs: (line: number) => boolean): number {
  return lines.length === 0 ? 0 : lines.filter(occurs).length / lines.length;
}

/** A hash of UTF-16 units with 53 bits (cyrb53, public domain): any two of a million lines are equal less than once in 10,000 runs. */
export function hash53(text: string): number {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 2654435761);
    b = Math.imul(b ^ unit, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (2097151 & b) + (a >>> 0);
}
