import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../errors.ts";
import { assignNames, describeSource, parseSource, redact, sourceKey } from "./source.ts";

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
  for (const text of ["/srv/a", "./a", "a", "-x", "C:\\a", "a/b/c", "../a", "a/..", "./a@b", "-a/b"])
    assert.equal(parseSource(text, { exists: () => false }).kind, "path", text);
  assert.equal(parseSource("/srv/a/.git").parts.at(-1), "a");
});

test("a pin follows an @ on sources of every kind", () => {
  const exists = (path: string): boolean => ["/x/there", "/x/odd@name", "/x/git", "/srv/a@b.git"].includes(path);
  const cases: Record<string, [string, string | null]> = {
    "https://host/o/n@v1.2": ["https://host/o/n", "v1.2"],
    "https://host/o/n@feature/x@y": ["https://host/o/n", "feature/x@y"],
    "https://u:p@host/o/n.git@main": ["https://u:p@host/o/n.git", "main"],
    "https://host/@team/n": ["https://host/@team/n", null],
    "https://host/@team/n@v1": ["https://host/@team/n", "v1"],
    "ssh://git@host:22/o/n": ["ssh://git@host:22/o/n", null],
    "ssh://git@host/o/n@v1": ["ssh://git@host/o/n", "v1"],
    "git@host:o/n": ["git@host:o/n", null],
    "git@host:o/n@v1": ["git@host:o/n", "v1"],
    "host.example:o/n@v1": ["host.example:o/n", "v1"],
    "file:///srv/a@v1": ["file:///srv/a", "v1"],
    "file:///srv/a@b.git": ["file:///srv/a@b.git", null],
    "o/n": ["https://github.com/o/n", null],
    "o/n@main": ["https://github.com/o/n", "main"],
    "o/n@feature/x": ["https://github.com/o/n", "feature/x"],
    "./there@v1": ["/x/there", "v1"],
    "there@v1": ["/x/there", "v1"],
    "odd@name": ["/x/odd@name", null],
    "odd@name@v1": ["/x/odd@name", "v1"],
    "/x/there": ["/x/there", null],
    "/x/there@feature/x": ["/x/there", "feature/x"],
  };
  for (const [text, [place, ref]] of Object.entries(cases)) {
    const source = parseSource(text, { folder: "/x", exists });
    assert.deepEqual([source.kind === "url" ? source.url : source.path, source.ref], [place, ref], text);
  }
  assert.equal(parseSource("o/n", { folder: "/x", exists: (path) => path === "/x/o/n" }).kind, "path");
  assert.equal(describeSource(parseSource("https://u:p@host/o/n@v1")), "https://host/o/n@v1");
});

test("a pin that cannot be a name is refused, and never an option", () => {
  for (const pin of ["", "--upload-pack=x", "-v", "a..b", "a b", "a:b", "x.lock", "@{u}", "a\nb", "^{tree}"]) {
    for (const source of ["https://host/o/n", "o/n", "git@host:o/n", "./there"]) {
      assert.throws(
        () => parseSource(`${source}@${pin}`, { exists: (path) => path.endsWith("/there") }),
        (error) => error instanceof UserError && error.code === "invalid",
        `${source}@${pin}`,
      );
    }
  }
});

test("schemes that run programs are refused", () => {
  for (const text of ["ext::sh -c id", "fd::3", "ftp://host/a", "https://[", "https://ho\nst/a", "git@host:a b"]) {
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
    "https://github.com/A/b@v1",
    "a/b",
  ];
  assert.equal(new Set(keys.map((text) => sourceKey(parseSource(text)))).size, 1);
  const redacted = {
    "https://user:secret@host/a": "https://host/a",
    "https://user:sec@ret@host/a@v1": "https://host/a@v1",
    "https://user:sec/ret@host/a": "https://host/a",
    "https://secret@host/a?token=secret#secret": "https://host/a",
    "https://[::1]:80/a@v1": "https://[::1]:80/a@v1",
    "https://user:secret@[::1]:80/a": "https://[::1]:80/a",
    "ssh://git:secret@host:22/a": "ssh://git@host:22/a",
    "git@host:a/b": "git@host:a/b",
    "/a@b": "/a@b",
  };
  for (const [url, shown] of Object.entries(redacted)) assert.equal(redact(url), shown, url);
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
