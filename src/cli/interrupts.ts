/** Ctrl-C: the first asks the work to stop in good order, the second ends the process at once. */

import { UserError } from "../errors.ts";

export interface Interrupts {
  readonly signal: AbortSignal;
  onInterrupt(handle: () => void): () => void;
  /** Takes the handlers away again. */
  release(): void;
}

/** One key press may arrive twice, from the terminal and from npm, which passes it on. */
const SAME_PRESS_MILLISECONDS = 300;
const INTERRUPTED = 130;

/** Handles SIGINT and SIGTERM of `process`; see `Context.signal` and `Context.onInterrupt`. */
export function createInterrupts(process: NodeJS.Process): Interrupts {
  const controller = new AbortController();
  const handlers: (() => void)[] = [];
  let last = -Infinity;
  const handle = (): void => {
    const now = performance.now();
    if (now - last < SAME_PRESS_MILLISECONDS) return;
    last = now;
    const own = handlers.at(-1);
    if (own !== undefined) own();
    else if (controller.signal.aborted) process.exit(INTERRUPTED);
    else {
      process.stderr.write(process.stderr.isTTY ? "\r\u001B[Kstopping; Ctrl-C again ends it at once\n" : "stopping\n");
      controller.abort(new UserError("interrupted", "interrupted", { hint: "run the command again" }));
    }
  };
  process.on("SIGINT", handle);
  process.on("SIGTERM", handle);
  return {
    signal: controller.signal,
    onInterrupt: (own) => {
      handlers.push(own);
      return () => void handlers.splice(handlers.lastIndexOf(own), 1);
    },
    release: () => {
      process.off("SIGINT", handle);
      process.off("SIGTERM", handle);
    },
  };
}
