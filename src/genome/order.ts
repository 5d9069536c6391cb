/** The two orders of a genome: repositories, and the files inside one. */

const first = [
  "asi-ecosystem",
  "symbiotic-core-library",
  "asi-protosymbiotic-signal",
  "asi-symbiotic-signal",
  "asi-core-protocol",
  "eco-benchmark",
  "eco-datacenter",
  "symbiotic-chrysalis",
];
const last = ["emergence-engine", "asi-backups"];

/** Orders strings by code point. JavaScript's `<` orders UTF-16 units, which differs above U+FFFF. */
export function compareCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Orders repository names as the ecosystem does: its leading ones, all others by code point, its trailing ones. */
export function compareRepositories(a: string, b: string): number {
  return rank(a) - rank(b) || compareCodePoints(a, b);
}

function rank(name: string): number {
  const leading = first.indexOf(name);
  if (leading >= 0) return leading - first.length;
  return last.indexOf(name) + 1;
}

/** Orders raw paths by their parts, each by code point (the byte order of UTF-8 is that of code points). */
export function comparePaths(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = weight(a[i]!) - weight(b[i]!);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** The same of paths whose bytes are the characters of a string. */
export function compareLatin1Paths(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = weight(a.charCodeAt(i)) - weight(b.charCodeAt(i));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** A part that ends comes before one that goes on, so the separator weighs less than any byte of a name. */
function weight(byte: number): number {
  return byte === 0x2f ? 0 : byte;
}
