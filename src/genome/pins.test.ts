import assert from "node:assert/strict";
import { test } from "node:test";
import { createGit } from "./git.ts";
import { isCommitId, isCommitPrefix, isRefName, refCandidates } from "./pins.ts";

test("names of refs are those that git takes, and none that begins with a dash", async () => {
  const good = ["main", "v1.2", "a/b/c", "a@b", "ä", "\u{13080}", "a'b", 'a"b', "a$b`c", "a;b", "a--b", "a{b", "a.b.c"];
  const bad = [
    "",
    "@",
    "a..b",
    ".a",
    "a/.b",
    "a.",
    "a/",
    "/a",
    "a//b",
    "a.lock",
    "a.lock/b",
    "a b",
    "a~b",
    "a^b",
    "a:b",
  ];
  const worse = ["a?b", "a*b", "a[b", "a\\b", "a@{b", "a\u0001b", "a\u007fb", "a\tb", "a\nb"];
  const git = createGit();
  for (const name of [...good, ...bad, ...worse]) {
    const { status } = await git.run(["check-ref-format", "--allow-onelevel", name]);
    assert.equal(isRefName(name), status === 0 && name !== "@", JSON.stringify(name));
  }
  for (const name of ["-x", "--upload-pack=x", "a".repeat(1001), "\ud800"]) assert.ok(!isRefName(name));
});

test("commits are told from names, and tags go before branches", () => {
  assert.ok(isCommitPrefix("abc1") && !isCommitPrefix("abc") && !isCommitPrefix("ABC1") && !isCommitPrefix("main"));
  assert.ok(isCommitId("a".repeat(40)) && isCommitId("a".repeat(64)) && !isCommitId("a".repeat(41)));
  assert.deepEqual(refCandidates("v1"), ["refs/tags/v1", "refs/heads/v1"]);
  assert.deepEqual([refCandidates("HEAD"), refCandidates("refs/x/y")], [["HEAD"], ["refs/x/y"]]);
});
