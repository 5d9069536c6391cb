/** A small genome of two repositories for the tests of the audit. */
import { join } from "node:path";
import { buildGenome } from "../build.ts";
import type { Gene, LockedRepository } from "../gene.ts";
import type { Git } from "../git.ts";
import { openGenome } from "../manifest.ts";
import { isolatedEnvironment, isolatedGit, makeRepository } from "../testing.ts";

export interface TestGenome {
  readonly dir: string;
  readonly git: Git;
  /** The git directory of "one"; "two" holds no text. */
  readonly gitDir: string;
  readonly repositories: readonly LockedRepository[];
  readonly genes: readonly Gene[];
}

const files = [
  { path: "a.md", content: "# One\n<|file_end|>\n\\<|repo_start|>x" },
  { path: "empty.txt", content: "" },
  { path: 'o\n"dd\\.txt', content: "é \u{13080}\n" },
  { path: Buffer.from([0x62, 0xff]), content: "named by bytes\n" },
  { path: "sub/b.md", content: "two\n" },
];

/** Makes the repositories `folder`/one and `folder`/two, and a genome of them in `folder`/genome. */
export async function makeGenome(folder: string): Promise<TestGenome> {
  const gitDir = await makeRepository(join(folder, "one"), [files]);
  await makeRepository(join(folder, "two"), [[{ path: "image.png", content: "\0" }]]);
  const dir = join(folder, "genome");
  await buildGenome({
    sources: [join(folder, "one"), join(folder, "two")],
    out: dir,
    env: isolatedEnvironment(folder),
  });
  const { repositories, genes, close } = await openGenome(dir);
  await close();
  return { dir, git: isolatedGit(folder), gitDir, repositories, genes };
}
