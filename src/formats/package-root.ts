/** Where this package lies and which version it is: the same from `src/` in a checkout and from `dist/` once installed. */

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { invariant } from "../errors.ts";

const NAME = "symbiotic-chrysalis";

/** The folder that holds our `package.json`, and with it `blueprints/` and `models/`; an absolute path. */
export function packageRoot(): string {
  return findPackage().folder;
}

/** The `version` of our `package.json`. */
export function packageVersion(): string {
  return findPackage().version;
}

function findPackage(): { folder: string; version: string } {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const found = readManifest(join(folder, "package.json"));
    if (found?.name === NAME && found.version !== undefined) return { folder, version: found.version };
    const parent = dirname(folder);
    invariant(parent !== folder, `no package.json of ${NAME} above ${import.meta.url}`);
    folder = parent;
  }
}

function readManifest(path: string): { name?: string; version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as { name?: string; version?: string };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
