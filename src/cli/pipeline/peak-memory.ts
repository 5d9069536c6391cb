/** How much memory the process took. */

import { readFile } from "node:fs/promises";

/** The most memory that this process has held, in bytes: the kernel's VmHWM where there is one. */
export async function peakMemoryOfProcess(): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS;
  return 1024 * Number(kilobytes);
}
