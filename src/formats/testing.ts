/** A stand-in for the Hugging Face hub, for tests. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { FetchDatasetOptions } from "./hub.ts";

/** Of the data set that the stand-in has. */
export const COMMIT = "1".repeat(40);
export interface Hub {
  readonly options: FetchDatasetOptions;
  readonly cache: string;
  readonly asked: string[];
  /** What the hub serves in place of a file. */
  readonly forged: Map<string, string>;
  stop(): void;
}

/** A stand-in for the hub, with one data set, `me/notes`, as its HTTP interface is documented. */
export async function startHub(
  t: TestContext,
  files: ReadonlyMap<string, string>,
  of: { readonly listed?: readonly string[]; readonly token?: string } = {},
): Promise<Hub> {
  const cache = await mkdtemp(join(tmpdir(), "hub-test-"));
  const asked: string[] = [];
  const forged = new Map<string, string>();
  const listener: RequestListener = (request, response) => {
    const { pathname } = new URL(request.url!, "http://hub");
    asked.push(pathname);
    const json = (value: unknown): void =>
      void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
    if (of.token !== undefined && request.headers.authorization !== `Bearer ${of.token}`) {
      response.writeHead(401, { "content-type": "application/json" }).end('{"error":"who are you"}');
    } else if (/^\/api\/datasets\/me\/notes\/revision\/(HEAD|v1)$/.test(pathname)) {
      json({ _id: "x", id: "me/notes", sha: COMMIT, lastModified: "2026-01-01T00:00:00Z" });
    } else if (pathname === `/api/datasets/me/notes/tree/${COMMIT}`) {
      json(
        (of.listed ?? [...files.keys()]).map((path) => {
          const text = files.get(path) ?? "";
          const blob = `blob ${Buffer.byteLength(text)}\0${text}`;
          const sha256 = createHash("sha256").update(text).digest("hex");
          const large = path.includes("large") ? { lfs: { oid: sha256, size: text.length, pointerSize: 100 } } : {};
          return {
            type: "file",
            path,
            size: Buffer.byteLength(text),
            oid: createHash("sha1").update(blob).digest("hex"),
            ...large,
          };
        }),
      );
    } else if (pathname.startsWith(`/datasets/me/notes/resolve/${COMMIT}/`)) {
      const path = pathname.slice(`/datasets/me/notes/resolve/${COMMIT}/`.length);
      const bytes = Buffer.from(forged.get(path) ?? files.get(path) ?? "");
      const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
      if (from === undefined) response.writeHead(200, { etag: '"e"', "content-length": bytes.length }).end(bytes);
      else {
        const end = Math.min(bytes.length - 1, to === "" ? bytes.length - 1 : Number(to));
        const range = `bytes ${from}-${end}/${bytes.length}`;
        response.writeHead(206, { etag: '"e"', "content-range": range }).end(bytes.subarray(Number(from), end + 1));
      }
    } else response.writeHead(404, { "content-type": "application/json" }).end('{"error":"not here"}');
  };
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  t.after(async () => {
    stop();
    await rm(cache, { recursive: true, force: true });
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const environment = { HF_ENDPOINT: endpoint, HF_HUB_CACHE: cache, HF_TOKEN_PATH: join(cache, "none") };
  const options = { wanted: (path: string) => path.endsWith(".jsonl"), mostBytes: 1e6, environment };
  return { options, cache, asked, forged, stop };
}
