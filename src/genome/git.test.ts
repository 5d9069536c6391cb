import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { test } from "node:test";
import { UserError } from "../errors.ts";
import { gitEnvironment } from "./git-environment.ts";
import { failureReason, isTransient } from "./git-reason.ts";
import { createGit } from "./git.ts";

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
    GIT_CONFIG: "/c",
    GIT_GLOB_PATHSPECS: "1",
    GIT_SHALLOW_FILE: "/s",
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

test("a server that never answers is given up, with all that was started to ask it", async (t) => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket)).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const started = performance.now();
  for (const scheme of ["git", "http"]) {
    const result = await createGit().run(["ls-remote", "--", `${scheme}://127.0.0.1:${port}/x`], { timeoutMs: 300 });
    assert.equal(failureReason(result), "timed out");
    assert.equal(result.status, null);
  }
  assert.ok(performance.now() - started < 5000);
  assert.equal(sockets.length, 2);
  await Promise.all(sockets.map(async (socket) => socket.closed || once(socket.resume(), "close"))); // Else the test hangs.
});

test("an answer that is too long is cut off", async () => {
  const { status, stdout } = await createGit().run(["--version"], { answerBytes: 3 });
  assert.deepEqual([status, stdout.length], [null, 0]);
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
    ["fatal: couldn't find remote ref refs/heads/x", "no such ref"],
    ["error: Server does not allow request for unadvertised object 12", "no such ref"],
    ["fatal: unpack-objects error", "damaged"],
    ["error: RPC failed; curl 56\nfatal: early EOF\nfatal: fetch-pack: invalid index-pack output", "no answer"],
    ["something else", "failed"],
  ] as const;
  for (const [stderr, reason] of cases) assert.equal(failureReason({ stderr, timedOut: false }), reason, stderr);
  assert.ok(isTransient({ stderr: "error: RPC failed; HTTP 502", timedOut: false }));
  assert.ok(!isTransient({ stderr: "fatal: repository 'x' not found", timedOut: false }));
});
