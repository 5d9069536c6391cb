/** The comment at the top of a file, where licence notices stand; by lines, since every language has its own signs. */

const prose = /\.(?:md|mdx|markdown|rst|txt|text|adoc|asciidoc|org|html?|csv|tsv|jsonl?)$/i;
const blocks = [
  ["/*", "*/"],
  ["<!--", "-->"],
  ['"""', '"""'],
  ["'''", "'''"],
  ["(*", "*)"],
  ["{-", "-}"],
  ["--[[", "]]"],
  ["{#", "#}"],
  ["<#", "#>"],
  ["=begin", "=end"],
] as const;
const proseBlocks = [["<!--", "-->"]] as const;
const lineComment = /^(?:\/\/|#|--|;|%|!|\*|"\s|'\s|rem\s|@rem\s|dnl\s|::|__license__\s*=)/i;
const proseLineComment = /^(?:\.\.\s|%|\/\/)/;
/** Lines of code that may stand before and between: `<?php`, "use strict", an include guard, what compilers emit. */
const maxOtherLines = 5;

/**
 * The comment that a text begins with, or the front matter of prose, with its signs; empty where it begins otherwise.
 *
 * @param head the beginning of a file: a comment that goes on past it is cut there
 */
export function openingComment(path: string, head: string): string {
  const isProse = prose.test(path);
  const comment: string[] = [];
  const lines = head.split("\n").map((line) => line.trim());
  let closer: string | null = isProse && lines[0] === "---" ? "---" : null;
  let others = 0;
  for (const line of closer === null ? lines : lines.slice(1)) {
    if (closer !== null) {
      if (line.includes(closer)) closer = null;
    } else {
      const block = (isProse ? proseBlocks : blocks).find(([opener]) => line.startsWith(opener));
      if (block !== undefined) {
        if (!line.includes(block[1], block[0].length)) closer = block[1];
      } else if (!(isProse ? proseLineComment : lineComment).test(line)) {
        if (line !== "" && ++others > maxOtherLines) break;
        continue;
      }
    }
    comment.push(line);
  }
  return comment.join("\n");
}
