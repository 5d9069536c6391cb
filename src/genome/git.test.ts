import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { UserError } from "../errors.ts";
import { createGit, failureReason, gitEnvironment, isTransient } from "./git.ts";

test("the environment keeps the user's configuration and drops what redirects git", () => {
  const kept = {
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "a.b",
    GIT_CONFIG_VALUE_0: "c",
    GIT_CONFIG_GLOBAL: "/x",
    GIT_SSH_COMMAND: "ssh -v",
    GIT_ASKPASS: "/ask",
    GIT_SSL_CAINFO: "/ca",
    https_proxy: "http://p",
    HOME: "/h",
  };
  const dropped = {
    GIT_DIR: "/a",
    GIT_WORK_TREE: "/b",
    GIT_INDEX_FILE: "/c",
    GIT_OBJECT_DIRECTORY: "/d",
    GIT_ALTERNATE_OBJECT_DIRECTORIES: "/e",
    GIT_COMMON_DIR: "/f",
    GIT_NAMESPACE: "g",
    GIT_EXTERNAL_DIFF: "h",
    GIT_TRACE: "1",
  };
  const env = gitEnvironment({ ...kept, ...dropped, GIT_TERMINAL_PROMPT: "1", GIT_NO_LAZY_FETCH: "0" });
  for (const [key, value] of Object.entries(kept)) assert.equal(env[key], value);
  for (const key of Object.keys(dropped)) assert.equal(env[key], undefined, key);
  assert.equal(env["GIT_TERMINAL_PROMPT"], "0");
  assert.equal(env["GIT_NO_LAZY_FETCH"], "1");
  assert.equal(env["GIT_NO_REPLACE_OBJECTS"], "1");
});

test("a machine without git is told so", async () => {
  await assert.rejects(
    createGit({ env: { PATH: "/nonexistent" } }).run(["--version"]),
    (error) => error instanceof UserError && error.code === "no-git" && error.hint !== undefined,
  );
});

test("a server that never answers is given up", async () => {
  const server = createServer(() => {}).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const url = `git://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
  const started = performance.now();
  const result = await createGit().run(["ls-remote", "--", url], { timeoutMs: 300 });
  server.close();
  assert.equal(failureReason(result), "timed out");
  assert.ok(performance.now() - started < 30_000);
});

test("git's messages are read as reasons", () => {
  const cases = [
    ["fatal: repository 'https://github.com/a/b/' not found", "not found"],
    ["fatal: '/tmp/x' does not appear to be a git repository", "not a repository"],
    ["fatal: could not read Username for 'https://github.com': terminal prompts disabled", "refused"],
    ["fatal: unable to access 'https://x/': Could not resolve host: x", "no answer"],
    [
      "fatal: unable to access 'http://127.0.0.1:1/': Failed to connect to 127.0.0.1 port 1: Connection refused",
      "no answer",
    ],
    ["fatal: transport 'ext' not allowed", "refused"],
    ["something else", "failed"],
  ] as const;
  for (const [stderr, reason] of cases) assert.equal(failureReason({ stderr, timedOut: false }), reason, stderr);
  assert.ok(isTransient({ stderr: "error: RPC failed; HTTP 502", timedOut: false }));
  assert.ok(!isTransient({ stderr: "fatal: repository 'x' not found", timedOut: false }));
});
