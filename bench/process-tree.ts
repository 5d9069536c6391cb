/** A program run to its end with its wall time and the peak of its process tree's resident memory. */

import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

export interface Measured {
  readonly code: number;
  readonly seconds: number;
  /** Largest sum of resident memory (VmRSS) over the program and its descendants; NaN where there is no /proc. */
  readonly treeBytes: number;
  /** Largest resident memory of the program's own process (VmHWM, or the largest sample); NaN where there is no /proc. */
  readonly ownBytes: number;
  readonly stdout: string;
  readonly stderr: string;
}

const sampleMilliseconds = 10;

/** Runs a program; memory is sampled every 10 ms, so a peak shorter than that may be missed. */
export async function measureProcess(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Measured> {
  const began = performance.now();
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-65536)));
  let treeBytes = Number.NaN;
  let ownBytes = Number.NaN;
  const sample = (): void => {
    if (child.pid === undefined) return;
    const tree = treeOf(child.pid).reduce((sum, pid) => sum + statusBytes(pid, "VmRSS"), 0);
    if (tree > 0) treeBytes = Math.max(Number.isNaN(treeBytes) ? 0 : treeBytes, tree);
    const own = statusBytes(child.pid, "VmHWM");
    if (own > 0) ownBytes = Math.max(Number.isNaN(ownBytes) ? 0 : ownBytes, own);
  };
  const timer = setInterval(sample, sampleMilliseconds);
  const code = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve(status ?? 128));
  }).finally(() => clearInterval(timer));
  return { code, seconds: (performance.now() - began) / 1000, treeBytes, ownBytes, stdout, stderr };
}

/** The process and all below it. */
function treeOf(pid: number): number[] {
  // A child belongs to the thread that started it.
  const children = names(`/proc/${pid}/task`)
    .flatMap((thread) => text(`/proc/${pid}/task/${thread}/children`).split(" "))
    .filter((word) => word !== "")
    .map(Number);
  return [pid, ...children.flatMap(treeOf)];
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function statusBytes(pid: number, field: string): number {
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(text(`/proc/${pid}/status`))?.[1];
  return kilobytes === undefined ? 0 : Number(kilobytes) * 1024;
}

/** A file of /proc; empty when the process has ended, or where there is none. */
function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
