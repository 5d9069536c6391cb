/** What differs between two genomes: genes added, removed, changed, and moved with their text unchanged. */
import type { Gene } from "../gene.ts";
import { compareRepositories } from "../order.ts";

export interface Place {
  readonly repository: string;
  readonly path: string;
}

export interface GenomeDiff {
  readonly added: readonly (Place & { readonly bytes: number })[];
  readonly removed: readonly (Place & { readonly bytes: number })[];
  /** Same place, other text. */
  readonly changed: readonly (Place & { readonly bytesBefore: number; readonly bytesAfter: number })[];
  /** Same text, other place. */
  readonly moved: readonly { readonly from: Place; readonly to: Place; readonly bytes: number }[];
  readonly unchanged: number;
  /** Of repositories in which something differs, in the order of a genome. */
  readonly repositories: readonly RepositoryDiff[];
}

/** A gene that moved to another repository counts as moved in the one it came to. */
export interface RepositoryDiff {
  readonly name: string;
  readonly in: "both" | "first" | "second";
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly moved: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** Compares the genes of two genomes by repository and path, and by the text as it stands in genome.txt. */
export function diffGenes(before: readonly Gene[], after: readonly Gene[]): GenomeDiff {
  const places = keyed(before);
  const added: Gene[] = [];
  const changed: GenomeDiff["changed"][number][] = [];
  let unchanged = 0;
  for (const [key, gene] of keyed(after)) {
    const former = places.get(key);
    places.delete(key);
    if (former === undefined) added.push(gene);
    else if (former.textSha256 === gene.textSha256) unchanged++;
    else changed.push({ ...placeOf(gene), bytesBefore: former.bytes, bytesAfter: gene.bytes });
  }
  const removed = new Set(places.values());
  const byText = Map.groupBy(removed, ({ textSha256 }) => textSha256);
  const moved: GenomeDiff["moved"][number][] = [];
  const remaining = added.filter((gene) => {
    // Empty texts are equal without being the same file.
    const from = gene.textBytes === 0 ? undefined : takeNearest(gene, byText.get(gene.textSha256) ?? []);
    if (from === undefined) return true;
    removed.delete(from);
    moved.push({ from: placeOf(from), to: placeOf(gene), bytes: gene.bytes });
    return false;
  });
  const sized = (gene: Gene): Place & { bytes: number } => ({ ...placeOf(gene), bytes: gene.bytes });
  const lists = { added: remaining.map(sized), removed: [...removed].map(sized), changed, moved };
  return { ...lists, unchanged, repositories: byRepository(before, after, lists) };
}

/** Genes by place; where one place occurs again, as it may in an imported genome, by its number too. */
function keyed(genes: readonly Gene[]): Map<string, Gene> {
  const result = new Map<string, Gene>();
  const times = new Map<string, number>();
  for (const gene of genes) {
    const place = `${gene.repository}\0${gene.path}`;
    const time = times.get(place) ?? 0;
    times.set(place, time + 1);
    result.set(time === 0 ? place : `${place}\0${time}`, gene);
  }
  return result;
}

function placeOf({ repository, path }: Gene): Place {
  return { repository, path };
}

/** Thousands may have one text; more than these are not weighed for one gene. */
const mostCandidates = 100;

/** Takes out of a list: one in the same repository and of the same file name goes before others. */
function takeNearest(gene: Gene, candidates: Gene[]): Gene | undefined {
  const fileName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
  const distances = candidates
    .slice(0, mostCandidates)
    .map(
      ({ repository, path }) =>
        (repository === gene.repository ? 0 : 2) + (fileName(path) === fileName(gene.path) ? 0 : 1),
    );
  const best = distances.indexOf(Math.min(...distances));
  return best < 0 ? undefined : candidates.splice(best, 1)[0];
}

function byRepository(
  before: readonly Gene[],
  after: readonly Gene[],
  { added, removed, changed, moved }: Pick<GenomeDiff, "added" | "removed" | "changed" | "moved">,
): RepositoryDiff[] {
  const bytesOf = (genes: readonly Gene[]): Map<string, number> => {
    const sums = new Map<string, number>();
    for (const { repository, bytes } of genes) sums.set(repository, (sums.get(repository) ?? 0) + bytes);
    return sums;
  };
  const [first, second] = [bytesOf(before), bytesOf(after)];
  const count = (places: readonly Place[]): Map<string, number> =>
    new Map([...Map.groupBy(places, ({ repository }) => repository)].map(([name, group]) => [name, group.length]));
  const counts = { added: count(added), removed: count(removed), changed: count(changed) };
  const movedTo = count(moved.map(({ to }) => to));
  const movedFrom = count(moved.map(({ from }) => from));
  const touched = new Set([...Object.values(counts), movedTo, movedFrom].flatMap((map) => [...map.keys()]));
  return [...touched].sort(compareRepositories).map((name) => ({
    name,
    in: first.has(name) ? (second.has(name) ? "both" : "first") : "second",
    added: counts.added.get(name) ?? 0,
    removed: counts.removed.get(name) ?? 0,
    changed: counts.changed.get(name) ?? 0,
    moved: movedTo.get(name) ?? 0,
    bytesBefore: first.get(name) ?? 0,
    bytesAfter: second.get(name) ?? 0,
  }));
}
