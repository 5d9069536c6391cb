/** File names to languages: one table by extension, one by whole name; where names do not tell it, the content does. */
import { languageOfContent, languageOfExtension } from "./language-signs.ts";

/** What a language is mainly used for, where neither path nor content says more. */
export type LanguageUse = "code" | "prose" | "data" | "config" | "notebook";

const table = {
  code: {
    ada: "adb ads",
    agda: "agda",
    applescript: "applescript scpt",
    assembly: "asm s",
    astro: "astro",
    awk: "awk",
    batch: "bat cmd",
    c: "c h",
    clojure: "clj cljc cljs edn",
    cobol: "cob cbl cpy",
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
    gdscript: "gd",
    glsl: "glsl vert frag wgsl hlsl metal",
    go: "go",
    graphql: "graphql gql",
    groovy: "groovy gradle",
    haxe: "hx",
    haskell: "hs lhs",
    hcl: "tf hcl",
    html: "html htm xhtml",
    java: "java",
    javascript: "js mjs cjs jsx",
    julia: "jl",
    kotlin: "kt kts",
    lean: "lean",
    less: "less",
    lisp: "lisp cl el scm rkt ss",
    lua: "lua",
    m4: "m4 ac",
    make: "mk mak",
    matlab: "m",
    nim: "nim",
    nix: "nix",
    "objective-c": "mm",
    ocaml: "ml mli",
    pascal: "pas pp",
    perl: "pl pm t",
    php: "php phtml",
    powershell: "ps1 psm1 psd1",
    prolog: "pro prolog",
    prisma: "prisma",
    protobuf: "proto",
    purescript: "purs",
    python: "py pyi pyw",
    qml: "qml",
    r: "r",
    raku: "raku rakumod p6",
    rego: "rego",
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
    thrift: "thrift",
    template: "ejs erb hbs j2 jinja jinja2 liquid mustache njk pug tmpl twig",
    typescript: "ts mts cts tsx",
    verilog: "v sv svh",
    vhdl: "vhd vhdl",
    vim: "vim",
    vue: "vue",
    wat: "wat wast",
    zig: "zig",
  },
  prose: {
    asciidoc: "adoc asciidoc",
    latex: "tex bib sty cls",
    markdown: "md markdown mdx mkd qmd rmd",
    mediawiki: "mediawiki wiki",
    org: "org",
    pod: "pod rdoc",
    restructuredtext: "rst",
    roff: "1 2 3 4 5 6 7 8 man tmac",
    text: "txt text",
    textile: "textile",
  },
  data: {
    csv: "csv",
    diff: "diff patch",
    geojson: "geojson",
    gettext: "po pot",
    icalendar: "ics vcf",
    json: "json json5 jsonc jsonld har webmanifest topojson",
    jsonl: "jsonl ndjson",
    pem: "pem crt asc",
    postscript: "ps eps",
    subtitles: "srt vtt",
    svg: "svg",
    tsv: "tsv",
    xml: "xml xsd xsl xslt rss plist gpx kml atom",
  },
  config: {
    dotenv: "env",
    ini: "ini cfg conf cnf properties service desktop xcconfig",
    jsonnet: "jsonnet libsonnet",
    "pkg-config": "pc",
    toml: "toml",
    yaml: "yaml yml",
  },
  notebook: { notebook: "ipynb" },
} as const satisfies Record<LanguageUse, Record<string, string>>;

export interface Language {
  readonly language: string;
  readonly use: LanguageUse;
}

const byExtension = new Map<string, Language>();
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

/** The language of a file by its lower-cased base name, else by what its content begins with. */
export function detectLanguage(baseName: string, text: string): Language | undefined {
  for (const [pattern, language, use] of named) if (pattern.test(baseName)) return { language, use };
  const dot = baseName.lastIndexOf(".");
  const extension = dot > 0 ? baseName.slice(dot + 1) : "";
  const known = byExtension.get(extension);
  return known === undefined ? languageOfContent(text) : languageOfExtension(extension, text, known);
}
