/** The texts of licences as SPDX publishes them. */
import { readFileSync } from "node:fs";

const folder = new URL("licenses/", import.meta.resolve("spdx-license-list"));

/** SPDX's text of a licence that it knows by this id. */
export function spdxText(id: string): string {
  const { licenseText } = JSON.parse(readFileSync(new URL(`${id}.json`, folder), "utf8")) as { licenseText: string };
  return licenseText;
}
