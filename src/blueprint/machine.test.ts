import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { linuxMemory, probeMachine } from "./machine.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "machine-"));
});
after(() => rm(folder, { recursive: true }));

/** A file system root with these files. */
async function rootWith(name: string, files: Record<string, string>): Promise<string> {
  const root = join(folder, name);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

const meminfo = "MemTotal:       8000 kB\nMemAvailable:   5000 kB\n";

test("without a limit the kernel's figure counts", async () => {
  const root = await rootWith("free", {
    "proc/meminfo": meminfo,
    "proc/self/cgroup": "0::/a\n",
    "sys/fs/cgroup/a/memory.max": "max\n",
    "sys/fs/cgroup/a/memory.current": "1000\n",
  });
  assert.equal(await linuxMemory(root), 5000 * 1024);
  assert.equal(await linuxMemory(await rootWith("bare", { "proc/meminfo": meminfo })), 5000 * 1024);
});

test("the tightest group above the process counts, file cache not as used", async () => {
  const files = {
    "proc/meminfo": meminfo,
    "proc/self/cgroup": "0::/a/b\n",
    "sys/fs/cgroup/a/b/memory.max": "4000000\n",
    "sys/fs/cgroup/a/b/memory.current": "100000\n",
    "sys/fs/cgroup/a/memory.max": "2000000\n",
    "sys/fs/cgroup/a/memory.current": "1500000\n",
    "sys/fs/cgroup/a/memory.stat": "anon 900000\ninactive_file 600000\nactive_file 5\n",
  };
  assert.equal(await linuxMemory(await rootWith("v2", files)), 1_100_000);
});

test("a container's limit of version 1 stands at the root of its mount", async () => {
  const root = await rootWith("v1", {
    "proc/meminfo": meminfo,
    "proc/self/cgroup": "9:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "3000000\n",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": "1000000\n",
    "sys/fs/cgroup/memory/memory.stat": "inactive_file 1\ntotal_inactive_file 500000\n",
  });
  assert.equal(await linuxMemory(root), 2_500_000);
});

test("this machine has cores, memory and disk, also for a folder that does not exist yet", async () => {
  const machine = await probeMachine(join(folder, "not", "there"));
  assert.ok(machine.cores >= 1 && machine.memoryBytes > 1e6 && machine.diskBytes > 0);
});
