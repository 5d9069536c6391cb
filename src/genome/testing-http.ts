/** A web server for tests, on this machine only: it answers as it is told, and serves bare repositories as files. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { isolatedGit, mustRun } from "./testing.ts";

/** Starts a server that goes with the test; gives its address, with a slash at the end. */
export async function startServer(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Serves a bare repository's files, which is all that git's older HTTP protocol needs. */
export async function serveFiles(gitDir: string): Promise<RequestListener> {
  await mustRun(isolatedGit(gitDir), `--git-dir=${gitDir}`, "update-server-info");
  return (request, response) => {
    const { pathname } = new URL(request.url!, "http://localhost");
    const path = join(gitDir, pathname.replace(/^\/[^/]*\//, ""));
    readFile(path).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  };
}
