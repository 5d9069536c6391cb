/** What this machine can give: cores, memory, disk, containers' limits respected. */
import { readFile, statfs } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";

export interface Machine {
  /** Cores that this process may use. */
  readonly cores: number;
  /** Bytes of memory that it can still take. */
  readonly memoryBytes: number;
  /** Bytes free where the output will stand. */
  readonly diskBytes: number;
}

/**
 * Looks at the machine as this process sees it.
 *
 * @param folder where output will be written; it need not exist yet
 */
export async function probeMachine(folder: string): Promise<Machine> {
  return {
    cores: availableParallelism(),
    memoryBytes: process.platform === "linux" ? await linuxMemory() : otherMemory(),
    diskBytes: await freeDisk(resolve(folder)),
  };
}

/** Elsewhere the free pages alone are counted, though the system gives up its caches on demand. */
function otherMemory(): number {
  return Math.max(process.availableMemory(), totalmem() / 2);
}

/**
 * The kernel's MemAvailable, or what is left below the tightest limit of the process's control groups (versions 1 and
 * 2), file cache not counted as used.
 *
 * @param root where `proc` and `sys` are found; for tests
 */
export async function linuxMemory(root = "/"): Promise<number> {
  const meminfo = await readFile(join(root, "proc/meminfo"), "utf8");
  const kilobytes = /^MemAvailable:\s+(\d+) kB/m.exec(meminfo)?.[1];
  const limits = [kilobytes === undefined ? totalmem() : Number(kilobytes) * 1024];
  const groups = await readFile(join(root, "proc/self/cgroup"), "utf8").catch(() => "");
  for (const line of groups.split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    if (controllers === "") limits.push(...(await leftInGroups(join(root, "sys/fs/cgroup"), path, VERSION_2)));
    else if (controllers!.split(",").includes("memory")) {
      limits.push(...(await leftInGroups(join(root, "sys/fs/cgroup/memory"), path, VERSION_1)));
    }
  }
  return Math.max(0, Math.min(...limits));
}

const VERSION_1 = { limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes", cache: "total_inactive_file" };
const VERSION_2 = { limit: "memory.max", used: "memory.current", cache: "inactive_file" };

/** What each group from `path` up to the root has left; a container sees its own group as the root. */
async function leftInGroups(mount: string, path: string, names: typeof VERSION_1): Promise<number[]> {
  const left: number[] = [];
  for (let group = path; ; group = dirname(group)) {
    const read = (name: string): Promise<string> => readFile(join(mount, group, name), "utf8").catch(() => "");
    const limit = Number.parseInt(await read(names.limit), 10); // "max" where there is none
    const used = Number.parseInt(await read(names.used), 10);
    const cache = Number(new RegExp(`^${names.cache} (\\d+)$`, "m").exec(await read("memory.stat"))?.[1] ?? 0);
    if (Number.isFinite(limit) && Number.isFinite(used)) left.push(limit - used + cache);
    if (group === "/" || group === "." || group === "") return left;
  }
}

async function freeDisk(folder: string): Promise<number> {
  for (let place = folder; ; place = dirname(place)) {
    try {
      const { bavail, bsize } = await statfs(place);
      return bavail * bsize;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if ((code !== "ENOENT" && code !== "ENOTDIR") || place === dirname(place)) throw error;
    }
  }
}
