/**
 * Which files of a repository a file imports, and the order in which each comes after those that it imports. By small regular
 * expressions against the paths that are there: what they miss is merely not put in order.
 */

/** How a language names what it imports, and which paths that may be. */
interface ImportForm {
  /** Group 1 is what is imported; with the flags g and m. */
  readonly pattern: RegExp;
  /** Paths that it may mean, the likeliest first, without regard to where the importing file stands. */
  readonly paths: (named: string) => readonly string[];
  /** Only against the importing file's folder; default: against the folders above it too, then as the end of any path. */
  readonly isRelative?: boolean;
}

const withEndings = (path: string, endings: readonly string[]): string[] => endings.map((ending) => path + ending);
const dotted = (named: string): string => named.replaceAll(/\.|::|\\/g, "/");

const scripts = [".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".d.ts", ".vue", ".svelte"];
const scriptPaths = (named: string): string[] => [
  named,
  ...withEndings(named, scripts),
  // TypeScript imports what will be compiled by the name that it will have.
  ...withEndings(named.replace(/\.[mc]?jsx?$/, ""), scripts),
  ...withEndings(`${named}/index`, scripts),
];
const script: readonly ImportForm[] = [
  {
    pattern: /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)["'](\.{1,2}\/[^"'\n]+|\.{1,2})["']/g,
    paths: scriptPaths,
    isRelative: true,
  },
];

const pythonPaths = (named: string): string[] => withEndings(dotted(named), [".py", "/__init__.py", ".pyi"]);
const python: readonly ImportForm[] = [
  { pattern: /^[ \t]*import[ \t]+([\w.]+)/gm, paths: pythonPaths },
  { pattern: /^[ \t]*from[ \t]+([A-Za-z_][\w.]*)[ \t]+import\b/gm, paths: pythonPaths },
  {
    // "from ..a import b" means a of the folder above, or b of it where no a is named.
    pattern: /^[ \t]*from[ \t]+(\.+[\w.]*[ \t]+import[ \t]+\w+)/gm,
    paths: (named) => {
      const [, dots, module, name] = /^(\.+)([\w.]*)[ \t]+import[ \t]+(\w+)/.exec(named)!;
      const above = "../".repeat(dots!.length - 1);
      return module === ""
        ? pythonPaths(name!).map((path) => above + path)
        : pythonPaths(module!).map((path) => above + path);
    },
    isRelative: true,
  },
];

const include = /^[ \t]*#[ \t]*(?:include|import)[ \t]*[<"]([^>"\n]+)[>"]/gm;
const c: readonly ImportForm[] = [{ pattern: include, paths: (named) => [named] }];

const rust: readonly ImportForm[] = [
  {
    pattern: /^[ \t]*(?:pub(?:\([^)]*\))?[ \t]+)?mod[ \t]+(\w+)[ \t]*;/gm,
    paths: (named) => withEndings(named, [".rs", "/mod.rs"]),
    isRelative: true,
  },
  {
    pattern: /\buse[ \t]+(?:crate|super|self)::([\w:]+)/g,
    paths: (named) => {
      const parts = named.split("::").filter((part) => part !== "");
      // The last names may be items of a module: longer paths first.
      return parts.flatMap((_, i) => withEndings(parts.slice(0, parts.length - i).join("/"), [".rs", "/mod.rs"]));
    },
  },
];

const jvm = (endings: readonly string[]): readonly ImportForm[] => [
  {
    pattern: /^[ \t]*import[ \t]+(?:static[ \t]+)?([\w.]+)/gm,
    paths: (named) => [
      ...withEndings(dotted(named), endings),
      ...withEndings(dotted(named).replace(/\/[^/]*$/, ""), endings),
    ],
  },
];

const ruby: readonly ImportForm[] = [
  {
    pattern: /^[ \t]*require_relative[ \t(]+["']([^"'\n]+)["']/gm,
    paths: (named) => [named, `${named}.rb`],
    isRelative: true,
  },
  { pattern: /^[ \t]*require[ \t(]+["']([^"'\n]+)["']/gm, paths: (named) => [named, `${named}.rb`] },
];

const php: readonly ImportForm[] = [
  {
    pattern: /\b(?:require|include)(?:_once)?[ \t(]+(?:__DIR__[ \t]*\.[ \t]*)?["']\/?([^"'\n]+)["']/g,
    paths: (named) => [named],
  },
  {
    pattern: /^[ \t]*use[ \t]+(?:function[ \t]+)?\\?([\w\\]+)/gm,
    // A namespace's first names are often those of the source folder.
    paths: (named) => {
      const parts = named.split("\\");
      return parts.slice(0, 3).map((_, i) => `${parts.slice(i).join("/")}.php`);
    },
  },
];

const styles: readonly ImportForm[] = [
  {
    pattern: /@(?:import|use|forward)\s+(?:url\()?["']([^"'\n]+)["']/g,
    paths: (named) => {
      const partial = named.replace(/([^/]+)$/, "_$1");
      return [named, ...[named, partial].flatMap((path) => withEndings(path, [".scss", ".sass", ".css", ".less"]))];
    },
    isRelative: true,
  },
];

const shell: readonly ImportForm[] = [
  { pattern: /^[ \t]*(?:source|\.)[ \t]+["']?(?:\$\{?\w+\}?\/)?([\w./-]+)/gm, paths: (named) => [named] },
];

/** By the languages' names in the genome. */
const forms: ReadonlyMap<string, readonly ImportForm[]> = new Map([
  ...["javascript", "typescript", "vue", "svelte"].map((name) => [name, script] as const),
  ["python", python],
  ...["c", "cpp", "cuda", "objective-c"].map((name) => [name, c] as const),
  ["rust", rust],
  ["java", jvm([".java"])],
  ["kotlin", jvm([".kt", ".java"])],
  ["scala", jvm([".scala", ".java"])],
  ["ruby", ruby],
  ["php", php],
  ...["css", "sass", "less"].map((name) => [name, styles] as const),
  ["shell", shell],
]);

/** Whether imports of a language are understood. */
export function knowsImports(language: string | null): boolean {
  return language !== null && forms.has(language);
}

export interface SourceFile {
  /** In its repository, with slashes. */
  readonly path: string;
  readonly language: string | null;
  readonly text: string;
}

/** Makes the function that finds the files of a repository that a file imports, each once, as they come; never itself. */
export function importFinder(paths: readonly string[]): (file: SourceFile) => string[] {
  const known = new Set(paths);
  const byName = Map.groupBy(paths, nameOf);
  const resolve = (
    from: string,
    { paths: pathsOf, isRelative = false }: ImportForm,
    named: string,
  ): string | undefined => {
    const candidates = pathsOf(named);
    for (let folder = folderOf(from); ; folder = folderOf(folder)) {
      for (const candidate of candidates) {
        const path = normalise(folder === "" ? candidate : `${folder}/${candidate}`);
        if (path !== undefined && known.has(path)) return path;
      }
      if (isRelative) return undefined;
      if (folder === "") break;
    }
    for (const candidate of candidates) {
      const end = `/${candidate}`;
      const ending = (byName.get(nameOf(candidate)) ?? []).filter((path) => path.endsWith(end));
      if (ending.length > 0)
        return ending.reduce((a, b) => (b.length < a.length || (b.length === a.length && b < a) ? b : a));
    }
    return undefined;
  };
  return ({ path, language, text }) => {
    const found = new Set<string>();
    for (const form of forms.get(language ?? "") ?? []) {
      for (const match of text.matchAll(form.pattern)) {
        const imported = resolve(path, form, match[1]!);
        if (imported !== undefined && imported !== path) found.add(imported);
      }
    }
    return [...found];
  };
}

/**
 * The files of one repository so that each comes after those that it imports, near them: a walk in depth from the first path
 * on. Where files import each other, the import that closes the circle is passed over. A function of paths and texts, whatever
 * order they are given in.
 */
export function inImportOrder<F extends SourceFile>(files: readonly F[]): F[] {
  const byPath = Map.groupBy(
    files.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    ({ path }) => path,
  );
  const finder = importFinder([...byPath.keys()]);
  const importsOf = (path: string): string[] => byPath.get(path)!.flatMap(finder);
  const begun = new Set<string>();
  const ordered: F[] = [];
  for (const start of byPath.keys()) {
    if (begun.has(start)) continue;
    begun.add(start);
    // Not by recursion: chains of imports may be long.
    const open = [{ path: start, imports: importsOf(start) }];
    while (open.length > 0) {
      const { path, imports } = open.at(-1)!;
      const next = imports.shift();
      if (next === undefined) {
        ordered.push(...byPath.get(path)!);
        open.pop();
      } else if (!begun.has(next)) {
        begun.add(next);
        open.push({ path: next, imports: importsOf(next) });
      }
    }
  }
  return ordered;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

/** Without "." and ".."; undefined where it leads out of the repository. */
function normalise(path: string): string | undefined {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join("/");
}
