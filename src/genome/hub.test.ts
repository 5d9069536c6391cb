import assert from "node:assert/strict";
import { test } from "node:test";
import { linkedRepositories, listedSources, pickReadme } from "./hub.ts";

test("only links to a repository itself count, each once", () => {
  const page = `
| [a](https://github.com/o/a) | first |
| [again](https://github.com/o/A.git) | see <https://github.com/o/b>. And **https://github.com/o/c**, \`git@github.com:o/d.git\`
[file](https://github.com/o/e/blob/main/x.md) [issue](https://github.com/o/e/issues/1) [anchor](https://github.com/o/e#usage)
![badge](https://img.shields.io/badge/x) https://example.com/o/page https://example.com/o/own.git
https://github.com/topics/llm https://github.com/sponsors/o https://github.com/o https://www.github.com/o/f/
git clone https://git.example.org/o/g
`;
  const expected = [
    "https://github.com/o/a",
    "https://github.com/o/b",
    "https://github.com/o/c",
    "git@github.com:o/d.git",
    "https://example.com/o/own.git",
    "https://github.com/o/f",
  ];
  assert.deepEqual(linkedRepositories(page), expected);
  assert.deepEqual(linkedRepositories(page, "git.example.org"), [...expected, "https://git.example.org/o/g"]);
});

test("links carry pins, of names that can be", () => {
  const page =
    "https://github.com/o/a@v1.2. https://github.com/o/b@--x https://github.com/o/c@a..b git@host:o/d.git@main";
  assert.deepEqual(linkedRepositories(page), ["https://github.com/o/a@v1.2", "git@host:o/d.git@main"]);
});

test("a plain list is told from a page", () => {
  const list = "# comment\n\no/a\r\n  ../b@v1   # why\nhttps://host/c#d\no/a\n";
  assert.deepEqual(listedSources(list, "list.txt"), ["o/a", "../b@v1", "https://host/c#d"]);
  assert.equal(listedSources(list, "list.md"), undefined);
  assert.equal(listedSources(list, "README"), undefined);
  assert.equal(listedSources("see https://host/c\n", "list.txt"), undefined);
  assert.equal(listedSources("- [a](https://host/c)\n", "list"), undefined);
  assert.equal(listedSources("https://host/a https://host/b", "list"), undefined);
});

test("a hub's page is its README", () => {
  assert.equal(pickReadme(["a.md", "readme.txt", "ReadMe.md"]), "ReadMe.md");
  assert.equal(pickReadme(["README"]), "README");
  assert.equal(pickReadme(["docs.md"]), undefined);
});
