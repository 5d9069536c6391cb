/** File names to languages: one table by extension, one by whole name, one by interpreter. */

/** What a language is mainly used for, where neither path nor content says more. */
export type LanguageUse = "code" | "prose" | "data" | "config" | "notebook";

const table = {
  code: {
    ada: "adb ads",
    assembly: "asm s",
    astro: "astro",
    awk: "awk",
    batch: "bat cmd",
    c: "c h",
    clojure: "clj cljc cljs edn",
    cmake: "cmake",
    coffeescript: "coffee",
    cpp: "cc cpp cxx hh hpp hxx ipp inl",
    crystal: "cr",
    csharp: "cs csx",
    css: "css",
    cuda: "cu cuh",
    cython: "pyx pxd",
    d: "d",
    dart: "dart",
    elixir: "ex exs",
    elm: "elm",
    erlang: "erl hrl",
    fortran: "f f90 f95 f03 for",
    fsharp: "fs fsi fsx",
    glsl: "glsl vert frag wgsl hlsl metal",
    go: "go",
    graphql: "graphql gql",
    groovy: "groovy gradle",
    haskell: "hs lhs",
    hcl: "tf hcl",
    html: "html htm xhtml",
    java: "java",
    javascript: "js mjs cjs jsx",
    julia: "jl",
    kotlin: "kt kts",
    less: "less",
    lisp: "lisp cl el scm rkt ss",
    lua: "lua",
    make: "mk mak",
    matlab: "m",
    nim: "nim",
    nix: "nix",
    ocaml: "ml mli",
    pascal: "pas pp",
    perl: "pl pm t",
    php: "php phtml",
    powershell: "ps1 psm1 psd1",
    prolog: "pro prolog",
    protobuf: "proto",
    python: "py pyi pyw",
    r: "r",
    ruby: "rb rake gemspec",
    rust: "rs",
    sass: "sass scss styl",
    scala: "scala sc sbt",
    shell: "sh bash zsh fish ksh",
    solidity: "sol",
    sql: "sql",
    svelte: "svelte",
    swift: "swift",
    tcl: "tcl",
    template: "ejs erb hbs j2 jinja jinja2 liquid mustache njk pug tmpl twig",
    typescript: "ts mts cts tsx",
    verilog: "v sv svh",
    vhdl: "vhd vhdl",
    vim: "vim",
    vue: "vue",
    zig: "zig",
  },
  prose: {
    asciidoc: "adoc asciidoc",
    latex: "tex bib sty cls",
    markdown: "md markdown mdx mkd",
    org: "org",
    restructuredtext: "rst",
    roff: "1 2 3 4 5 6 7 8 man",
    text: "txt text",
    textile: "textile",
  },
  data: {
    csv: "csv",
    diff: "diff patch",
    geojson: "geojson",
    gettext: "po pot",
    json: "json json5 jsonc",
    jsonl: "jsonl ndjson",
    subtitles: "srt vtt",
    svg: "svg",
    tsv: "tsv",
    xml: "xml xsd xsl xslt rss plist",
  },
  config: {
    dotenv: "env",
    ini: "ini cfg conf cnf properties service desktop",
    toml: "toml",
    yaml: "yaml yml",
  },
  notebook: { notebook: "ipynb" },
} as const satisfies Record<LanguageUse, Record<string, string>>;

const byExtension = new Map<string, { language: string; use: LanguageUse }>();
for (const [use, languages] of Object.entries(table)) {
  for (const [language, extensions] of Object.entries(languages)) {
    for (const extension of extensions.split(" ")) byExtension.set(extension, { language, use: use as LanguageUse });
  }
}

const named: readonly (readonly [RegExp, string, LanguageUse])[] = [
  [/^(?:gnu)?makefile$/, "make", "code"],
  [/^(?:dockerfile|containerfile)(?:\..+)?$/, "dockerfile", "code"],
  [/^jenkinsfile$/, "groovy", "code"],
  [/^(?:gemfile|rakefile|podfile|vagrantfile|brewfile|fastfile)$/, "ruby", "code"],
  [/^(?:configure|gradlew|mvnw|pre-commit|commit-msg|pre-push)$/, "shell", "code"],
  [/^cmakelists\.txt$/, "cmake", "code"],
  [/^meson(?:\.build|_options\.txt)$/, "meson", "code"],
  [/^(?:build|workspace|module)(?:\.bazel)?$/, "starlark", "code"],
  [/^(?:[\w.-]*requirements[\w.-]*|constraints)\.(?:txt|in)$/, "requirements", "config"],
  [/^robots\.txt$/, "robots", "config"],
  [/^go\.(?:mod|work)$/, "go-module", "config"],
  [/^\.env(?:\..+)?$/, "dotenv", "config"],
  [/^codeowners$/, "ignore", "config"],
  [/^\.(?:git|docker|npm|eslint|prettier|helm|vscode)?(?:ignore|attributes|modules|keep)$/, "ignore", "config"],
  [
    /^\.(?:npmrc|yarnrc|nvmrc|node-version|python-version|ruby-version|tool-versions|editorconfig|inputrc)$/,
    "ini",
    "config",
  ],
  [/^\.(?:babelrc|eslintrc|prettierrc|stylelintrc|swcrc|jshintrc|mocharc|nycrc)$/, "json", "config"],
  [/^\.(?:bashrc|bash_profile|zshrc|profile|envrc)$/, "shell", "code"],
  [/^\.clang-(?:format|tidy)$/, "yaml", "config"],
  [
    /^(?:readme|changelog|changes|history|news|authors|contributors|contributing|install|todo|thanks|maintainers|security|code_of_conduct)$/,
    "text",
    "prose",
  ],
];

const interpreters: readonly (readonly [RegExp, string])[] = [
  [/\bpython[\d.]*\b/, "python"],
  [/\b(?:node|deno|bun)\b/, "javascript"],
  [/\b(?:ba|z|da|k|fi)?sh\b/, "shell"],
  [/\bperl\b/, "perl"],
  [/\bruby\b/, "ruby"],
  [/\bphp\b/, "php"],
  [/\b[gm]?awk\b/, "awk"],
  [/\bRscript\b/, "r"],
  [/\blua\b/, "lua"],
];

/** The language of a file by its lower-cased base name, else by the interpreter its first line names. */
export function detectLanguage(baseName: string, text: string): { language: string; use: LanguageUse } | undefined {
  for (const [pattern, language, use] of named) if (pattern.test(baseName)) return { language, use };
  const dot = baseName.lastIndexOf(".");
  const known = dot > 0 ? byExtension.get(baseName.slice(dot + 1)) : undefined;
  if (known !== undefined) return known;
  const shebang = /^#!([^\n]{1,200})/.exec(text)?.[1];
  const language = shebang === undefined ? undefined : interpreters.find(([pattern]) => pattern.test(shebang))?.[1];
  return language === undefined ? undefined : { language, use: "code" };
}
