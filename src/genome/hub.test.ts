import assert from "node:assert/strict";
import { test } from "node:test";
import { linkedRepositories, pickReadme } from "./hub.ts";

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

test("a hub's page is its README", () => {
  assert.equal(pickReadme(["a.md", "readme.txt", "ReadMe.md"]), "ReadMe.md");
  assert.equal(pickReadme(["README"]), "README");
  assert.equal(pickReadme(["docs.md"]), undefined);
});
