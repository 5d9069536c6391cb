/** Languages by signs in the content: where several share an extension, and where a name has none that is known. */
import type { Language } from "./languages.ts";

/** Signs stand near the beginning; looking further costs time and finds chance. */
const headLength = 16 << 10;

/** Languages that share an extension: the first whose sign is found, else what the extension mostly is. */
const shared: Readonly<Record<string, readonly (readonly [sign: RegExp, language: Language])[]>> = {
  h: [
    [/^[ \t]*(?:@(?:interface|protocol|class)\b|#import\b)/m, { language: "objective-c", use: "code" }],
    [
      /^[ \t]*(?:class[ \t]+\w+[^;\n]*$|class[ \t]+\w+[ \t]*[:{]|namespace\b|template[ \t]*<|using[ \t]+\w|#include[ \t]*<(?:c[a-z]+|string|vector|memory|map|utility|iostream|functional)>)/m,
      { language: "cpp", use: "code" },
    ],
  ],
  m: [[/^[ \t]*(?:@(?:interface|implementation|import|end)\b|#import\b)/m, { language: "objective-c", use: "code" }]],
  pl: [[/^(?::-[ \t]|[a-z]\w*(?:\([^()\n]*\))?[ \t]*:-)/m, { language: "prolog", use: "code" }]],
  ts: [[/^\ufeff?\s*<(?:\?xml|!DOCTYPE TS)/, { language: "xml", use: "data" }]],
  v: [[/^(?:Require|Theorem|Lemma|Proof|Definition|Inductive|Fixpoint)\b/m, { language: "coq", use: "code" }]],
};

/** The language of a file whose extension is known, with a look at its content where the extension is not enough. */
export function languageOfExtension(extension: string, text: string, known: Language): Language | undefined {
  const head = text.slice(0, headLength);
  // Numbers at the end of a name are sections of manual pages only with a request in the text.
  if (known.language === "roff" && /^\d$/.test(extension) && !/^[.'][A-Za-z\\]/m.test(head))
    return languageOfContent(text);
  if (!Object.hasOwn(shared, extension)) return known;
  return shared[extension]!.find(([sign]) => sign.test(head))?.[1] ?? known;
}

const interpreters: readonly (readonly [RegExp, string])[] = [
  [/\bpython[\d.]*\b/, "python"],
  [/\b(?:node|deno|bun)\b/, "javascript"],
  [/\bpwsh\b/, "powershell"],
  [/\b(?:ba|z|da|k|fi)?sh\b/, "shell"],
  [/\bperl\b/, "perl"],
  [/\bruby\b/, "ruby"],
  [/\bphp\b/, "php"],
  [/\b[gmn]?awk\b/, "awk"],
  [/\bRscript\b/, "r"],
  [/\blua(?:jit)?\b/, "lua"],
  [/\btclsh|\bwish\b/, "tcl"],
  [/\bmake\b/, "make"],
];

const beginnings: readonly (readonly [sign: RegExp, language: Language])[] = [
  [/^<\?php\b/, { language: "php", use: "code" }],
  [/^(?:<\?xml\b[^>]*>\s*)?<(?:!doctype html|html)\b/i, { language: "html", use: "code" }],
  [/^(?:<\?xml\b[^>]*>\s*)?<svg\b/i, { language: "svg", use: "data" }],
  [/^<\?xml\b/, { language: "xml", use: "data" }],
  [/^%!PS\b/, { language: "postscript", use: "data" }],
  [/^-----BEGIN [A-Z0-9 ]+-----\n/, { language: "pem", use: "data" }],
  [/^(?:diff --git a\/|--- [^\n]+\n\+\+\+ )/, { language: "diff", use: "data" }],
  [/^(?:\{\s*"(?:[^"\\\n]|\\.)*"\s*:|\[\s*(?:\{\s*"|"|\[|-?\d))/, { language: "json", use: "data" }],
];

/** The language of a text by the interpreter its first line names, by how it begins, or as prose by how it reads. */
export function languageOfContent(text: string): Language | undefined {
  const head = text.slice(0, headLength).replace(/^\ufeff/, "");
  const shebang = /^#!([^\n]{1,200})/.exec(head)?.[1];
  if (shebang !== undefined) {
    const language = interpreters.find(([pattern]) => pattern.test(shebang))?.[1];
    return language === undefined ? undefined : { language, use: "code" };
  }
  const begun = head.trimStart();
  const found = beginnings.find(([sign]) => sign.test(begun))?.[1];
  return found ?? (isProse(head) ? { language: "text", use: "prose" } : undefined);
}

/** Mostly words, in sentences, without the signs that code and tables are full of. */
function isProse(head: string): boolean {
  const words = head.match(/\p{L}[\p{L}\p{M}'’-]*/gu)?.length ?? 0;
  if (words < 30) return false;
  const count = (sign: RegExp): number => head.match(sign)?.length ?? 0;
  const sentences = count(/\p{L}{2}["'”’)]?[.!?…]["'”’)]?(?=\s|$)/gu);
  const signs = count(/[{}<>=;|\\#@$%^&*_[\]+~`]|\d/g);
  return sentences >= words / 60 && signs <= words / 5;
}
