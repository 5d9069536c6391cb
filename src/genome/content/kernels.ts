/** The languages of notebook kernels: their names here, and how a line becomes a comment in them. */

export interface Comment {
  readonly open: string;
  /** What ends it, with its leading space; empty where the line does. */
  readonly close: string;
}

/** Comment signs as jupytext has them for its percent format; all others use `#`. */
const comments: readonly (readonly [open: string, close: string, languages: string])[] = [
  [
    "//",
    "",
    "c cpp csharp cuda d dart fsharp go groovy java javascript kotlin php rust scala solidity stata swift typescript zig",
  ],
  ["--", "", "ada elm haskell lua sql"],
  [";;", "", "clojure lisp scheme"],
  ["%", "", "erlang latex logtalk matlab octave prolog"],
  ["!", "", "fortran"],
  ["(*", " *)", "ocaml pascal wolfram"],
  ["/*", " */", "css sas"],
  ["<!--", " -->", "html markdown xml"],
];

/** Names that kernels use for a language that is called otherwise here. */
const aliases: Readonly<Record<string, string>> = {
  "c#": "csharp",
  "c++": "cpp",
  "c++11": "cpp",
  "c++14": "cpp",
  "c++17": "cpp",
  "c++20": "cpp",
  "f#": "fsharp",
  "q#": "qsharp",
  ir: "r",
  ipython: "python",
  ipython3: "python",
  python2: "python",
  python3: "python",
  js: "javascript",
  node: "javascript",
  nodejs: "javascript",
  ts: "typescript",
  bash: "shell",
  sh: "shell",
  zsh: "shell",
  "common-lisp": "lisp",
  "emacs-lisp": "lisp",
  mathematica: "wolfram",
  octave: "matlab",
  pwsh: "powershell",
  sagemath: "python",
  sage: "python",
};

export function cellComment(language: string | null): Comment {
  for (const [open, close, languages] of comments) {
    if (language !== null && languages.split(" ").includes(language)) return { open, close };
  }
  return { open: "#", close: "" };
}

/**
 * The language of a notebook: by its metadata (`language_info`, `kernelspec`), in nbformat 3 by its code cells.
 *
 * @returns null where neither tells it, or tells something that is no name
 */
export function kernelLanguage(notebook: unknown, cells: readonly unknown[]): string | null {
  const metadata = at(notebook, "metadata");
  const told = [
    at(metadata, "language_info", "name"),
    at(metadata, "kernelspec", "language"),
    at(metadata, "kernelspec", "name"),
    at(
      cells.find((cell) => at(cell, "language") !== undefined),
      "language",
    ),
  ];
  const name = told.find((value) => typeof value === "string" && /^[a-z][\w+#. -]{0,31}$/i.test(value)) as
    | string
    | undefined;
  if (name === undefined) return null;
  const lower = name.toLowerCase();
  return Object.hasOwn(aliases, lower) ? aliases[lower]! : lower.replace(/[ .]+/g, "-");
}

function at(value: unknown, ...keys: readonly string[]): unknown {
  let found = value;
  for (const key of keys) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found;
}
