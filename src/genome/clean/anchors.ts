/**
 * The one pass over every text: three ASCII characters in a row, looked up in a table of the places where some rule has to
 * look closer. It decides nothing; a text without anchors costs one table look-up per character and no allocation.
 */

/** Three characters, or three sets of characters; `\0` stands for anything beyond ASCII and for the end of the text. */
export type Anchor = string | readonly [string, string, string];

export interface AnchorTable {
  /** By three 7-bit characters: 0, or an index into `targets`. */
  readonly groups: Uint8Array;
  /** Which of the rules given to `anchorTable` start at the anchors of a group. */
  readonly targets: readonly (readonly number[])[];
}

/** The table for the anchors of each rule; at most 255 different sets of rules may share an anchor. */
export function anchorTable(rules: readonly (readonly Anchor[])[]): AnchorTable {
  const groups = new Uint8Array(1 << 21);
  const targets: number[][] = [[]];
  const known = new Map<number, number>();
  for (const [rule, anchors] of rules.entries()) {
    for (const [first, second, third] of anchors as Iterable<readonly [string, string, string]>) {
      for (const a of first) {
        for (const b of second) {
          for (const c of third) {
            const code = (a.charCodeAt(0) << 14) | (b.charCodeAt(0) << 7) | c.charCodeAt(0);
            const before = groups[code]!;
            const key = before * rules.length + rule;
            let group = known.get(key);
            if (group === undefined) {
              group = targets.push([...targets[before]!, rule]) - 1;
              known.set(key, group);
            }
            groups[code] = group;
          }
        }
      }
    }
  }
  return { groups, targets };
}

/** Index of the first anchor at or after `from`, or -1. */
export function nextAnchor(text: string, from: number, groups: Uint8Array): number {
  let pair = (asciiAt(text, from) << 7) | asciiAt(text, from + 1);
  const { length } = text;
  for (let i = from + 2; i < length; i++) {
    const code = text.charCodeAt(i);
    const triple = (pair << 7) | (code < 128 ? code : 0);
    if (groups[triple] !== 0) return i - 2;
    pair = triple & 0x3fff;
  }
  return from + 2 <= length && groups[pair << 7] !== 0 ? length - 2 : -1;
}

/** The group of the anchor at `index`. */
export function anchorGroup(text: string, index: number, groups: Uint8Array): number {
  return groups[(asciiAt(text, index) << 14) | (asciiAt(text, index + 1) << 7) | asciiAt(text, index + 2)]!;
}

function asciiAt(text: string, index: number): number {
  const code = index < text.length ? text.charCodeAt(index) : 0;
  return code < 128 ? code : 0;
}
