/** What a proof has measured already: one file for each training, in a folder named by what they have in common. */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { atomicWrite, canonicalJson, readJson } from "../../src/formats/files.ts";

/** Thrown once as many trainings were made as were allowed; nothing is lost. */
export class Enough extends Error {}

export interface Store {
  readonly dir: string;
  /** The value kept under a name, or that of the work, which is then kept. */
  kept<T>(name: string, make: () => Promise<T>): Promise<T>;
}

export interface StoreOptions {
  /** Folder of a proof. */
  readonly work: string;
  /** First part of the folder's name, for people. */
  readonly label: string;
  /** Whatever decides the values: others than these are never taken for them. */
  readonly settings: unknown;
  /** The names that will be asked for, so that the remaining time can be told. */
  readonly planned: readonly string[];
  /** How many may be made before `Enough` is thrown. */
  readonly limit: number;
  readonly say: (line: string) => void;
}

interface Kept {
  readonly seconds: number;
  readonly value: unknown;
}

/** Opens the folder that belongs to the settings, or begins it. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { settings, planned, limit, say } = options;
  const text = canonicalJson(settings);
  const id = createHash("sha256").update(text).digest("hex").slice(0, 8);
  const dir = join(options.work, `${options.label}-${id}`);
  await mkdir(dir, { recursive: true });
  await atomicWrite(join(dir, "settings.json"), text);
  const pathOf = (name: string): string => join(dir, `${name}.json`);
  /** The remaining time is told by the longest so far: a parent is only scored, an arm is trained too. */
  let longest = 0;
  let made = 0;
  return {
    dir,
    async kept<T>(name: string, make: () => Promise<T>): Promise<T> {
      if (existsSync(pathOf(name))) {
        const kept = (await readJson(pathOf(name))) as Kept;
        longest = Math.max(longest, kept.seconds);
        return kept.value as T;
      }
      if (made >= limit) throw new Enough(`${made} trainings were made in this call`);
      const began = performance.now();
      const value = await make();
      const took = (performance.now() - began) / 1000;
      await atomicWrite(pathOf(name), canonicalJson({ seconds: took, value } satisfies Kept));
      made++;
      longest = Math.max(longest, took);
      const left = planned.filter((other) => !existsSync(pathOf(other))).length;
      say(`${name}: ${took.toFixed(0)} s; ${left} left, at most about ${Math.ceil((left * longest) / 60)} min`);
      return value;
    },
  };
}
