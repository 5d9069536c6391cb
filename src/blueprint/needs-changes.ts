/** Whether a recipe reads the history of files, which a genome holds only where it is asked for. */
import { framingOf } from "../epigenome/framings/framings.ts";
import type { Blueprint } from "./schema.ts";

export function needsChanges({ epigenome }: Pick<Blueprint, "epigenome">): boolean {
  return (epigenome?.rules ?? []).some(({ framing }) => framing !== undefined && framingOf(framing).needsChanges);
}
