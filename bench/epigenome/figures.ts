/** The published results: the numbers of a proof and the figure drawn from them, side by side in docs/figures. */

import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { atomicWrite, canonicalJson, readJson } from "../../src/formats/files.ts";
import type { Proof } from "./proof.ts";

/** Writes `PROOF-BODY.json` and `PROOF-BODY-FIGURE.svg`; returns their paths. */
export async function publish<R>(proof: Proof<R>, body: string, result: R, folder: string): Promise<string[]> {
  const path = join(folder, `${proof.name}-${body}`);
  await mkdir(folder, { recursive: true });
  await atomicWrite(`${path}.json`, canonicalJson(result));
  return [`${path}.json`, ...(await drawAt(path, proof, result))];
}

/** Draws every figure of a proof again from its numbers; returns what the numbers say, and the figures' paths. */
export async function redraw<R>(
  proof: Proof<R>,
  folder: string,
): Promise<{ readonly report: readonly string[]; readonly paths: readonly string[] }[]> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(`${proof.name}-`) && name.endsWith(".json"));
  const drawn: { report: readonly string[]; paths: string[] }[] = [];
  for (const name of names.sort()) {
    const result = (await readJson(join(folder, name))) as R;
    const paths = await drawAt(join(folder, name.replace(/\.json$/, "")), proof, result);
    drawn.push({ report: proof.report(result), paths });
  }
  return drawn;
}

async function drawAt<R>(path: string, proof: Proof<R>, result: R): Promise<string[]> {
  const figures = Object.entries(proof.draw(result)).map(([name, svg]) => ({ path: `${path}-${name}.svg`, svg }));
  for (const figure of figures) await atomicWrite(figure.path, figure.svg);
  return figures.map((figure) => figure.path);
}
