import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../errors.ts";
import { assignNames, parseSource, redact, sourceKey } from "./source.ts";

test("URLs and paths are told apart", () => {
  const urls = {
    "https://github.com/owner/name": ["github.com", "owner", "name"],
    "https://GitHub.com/owner/name.git/": ["github.com", "owner", "name"],
    "ssh://git@host:22/a/b.git": ["host:22", "a", "b"],
    "git://host/a.git": ["host", "a"],
    "git@github.com:owner/name.git": ["github.com", "owner", "name"],
    "file:///srv/git/a%20b.git": ["srv", "git", "a b"],
  };
  for (const [text, parts] of Object.entries(urls)) {
    const source = parseSource(text);
    assert.equal(source.kind, "url", text);
    assert.deepEqual(source.parts, parts);
  }
  for (const text of ["/srv/a", "./a", "a", "-x", "C:\\a"]) assert.equal(parseSource(text).kind, "path", text);
  assert.equal(parseSource("/srv/a/.git").parts.at(-1), "a");
});

test("schemes that run programs are refused", () => {
  for (const text of ["ext::sh -c id", "fd::3", "ftp://host/a", "https://["]) {
    assert.throws(
      () => parseSource(text),
      (error) => error instanceof UserError && error.code === "invalid",
      text,
    );
  }
});

test("spellings of one repository have one key, passwords are never shown", () => {
  const keys = [
    "https://github.com/a/b",
    "https://github.com/a/b.git",
    "git@github.com:a/b",
    "https://u:p@github.com/a/b/",
  ];
  assert.equal(new Set(keys.map((text) => sourceKey(parseSource(text)))).size, 1);
  assert.equal(redact("https://user:secret@host/a"), "https://host/a");
});

test("equal names grow by their owner, and by more where that does not suffice", () => {
  assert.deepEqual(
    assignNames([
      ["h", "a", "x"],
      ["h", "b", "x"],
      ["h", "a", "y"],
    ]),
    ["a/x", "b/x", "y"],
  );
  assert.deepEqual(
    assignNames([
      ["h", "a", "x"],
      ["g", "a", "x"],
    ]),
    ["h/a/x", "g/a/x"],
  );
});
