/** The files that the ecosystem's own script takes, by extension. */

const extensions = new Set(
  ".py .rs .js .ts .java .c .h .cpp .go .sh .json .yaml .yml .toml .xml .ini .md .txt .rst".split(" "),
);

/** Whether a path (parts joined by `/`) is on the ecosystem's list; a name that only begins with dots has no extension. */
export function isEcosystemFile(path: string): boolean {
  const extension = /[^./][^/]*(\.[^./]+)$/.exec(path)?.[1];
  return extension !== undefined && extensions.has(extension.toLowerCase());
}
