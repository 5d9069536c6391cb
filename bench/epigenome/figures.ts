/** The published results: the numbers of a proof and the figure drawn from them, side by side in docs/figures. */

import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { atomicWrite, canonicalJson, readJson } from "../../src/formats/files.ts";
import type { Proof } from "./proof.ts";

/** Writes `PROOF-BODY.json` and `.svg`; returns their paths. */
export async function publish<R>(proof: Proof<R>, body: string, result: R, folder: string): Promise<string[]> {
  const path = join(folder, `${proof.name}-${body}`);
  await mkdir(folder, { recursive: true });
  await atomicWrite(`${path}.json`, canonicalJson(result));
  await atomicWrite(`${path}.svg`, proof.draw(result));
  return [`${path}.json`, `${path}.svg`];
}

/** Draws every figure of a proof again from its numbers; returns their paths. */
export async function redraw<R>(proof: Proof<R>, folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(`${proof.name}-`) && name.endsWith(".json"));
  const drawn: string[] = [];
  for (const name of names.sort()) {
    const path = join(folder, name.replace(/\.json$/, ".svg"));
    await atomicWrite(path, proof.draw((await readJson(join(folder, name))) as R));
    drawn.push(path);
  }
  return drawn;
}
