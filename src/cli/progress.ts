/** The display of work in progress: one line that is redrawn on a terminal, a line now and then anywhere else. */

import { stripVTControlCharacters, styleText } from "node:util";
import { formatClock, formatDuration, oneLine } from "./format.ts";

/** How one stage of the work stands. */
export interface Status {
  /** One or two words; the first status of another stage finishes the one before. */
  readonly stage: string;
  /** Both in the same unit; without a total there is no bar. */
  readonly done?: number;
  readonly total?: number;
  /** The most important first; what the line has no room for is left out. */
  readonly details?: readonly string[];
  /** Expected seconds to the end of the stage. Default: from what is done and how long it took. */
  readonly eta?: number;
}

export interface Progress {
  update(status: Status): void;
  /** A line that stays, above the live one. */
  note(text: string): void;
  /** Ends the current stage, if there is one, with a line that stays. */
  finish(details?: readonly string[]): void;
  /** Takes the live line away: before a result or an error is printed. */
  close(): void;
}

export interface ProgressTarget {
  /** live: a terminal; plain: sparse lines; silent: nothing. */
  readonly mode: "live" | "plain" | "silent";
  write(text: string): void;
  /** Columns, now. */
  width(): number;
  /** Given to `styleText`, which honours NO_COLOR and colours terminals only. */
  readonly stream: NodeJS.WriteStream;
  /** Monotonic, in seconds. */
  clock(): number;
}

const REDRAW_SECONDS = 0.08;
const SPIN_MILLISECONDS = 120;
const PLAIN_SECONDS = 10;
/** Without a terminal a line also comes for each tenth of a stage, but not more often than this. */
const PLAIN_LEAST_SECONDS = 3;

export function createProgress(target: ProgressTarget): Progress {
  const { mode, clock } = target;
  let current: Status | undefined;
  let began = 0;
  let shownAt = -Infinity;
  let shownTenth = 0;
  let drawn = false;
  let timer: NodeJS.Timeout | undefined;

  const clear = (): void => {
    if (drawn) target.write("\r\u001B[K");
    drawn = false;
  };
  const draw = (): void => {
    if (current === undefined) return;
    const line = liveLine(current, { elapsed: clock() - began, width: target.width() - 1, stream: target.stream });
    target.write(`\r${line}\u001B[K`);
    drawn = true;
    shownAt = clock();
  };
  const stay = (line: string): void => {
    if (mode === "silent") return;
    clear();
    target.write(`${line}\n`);
  };
  const finish = (details?: readonly string[]): void => {
    if (current === undefined) return;
    const elapsed = clock() - began;
    const all = [...(details ?? current.details ?? []), formatDuration(elapsed)];
    const mark = mode === "live" ? `${styleText("green", "✓", { stream: target.stream })} ` : "";
    const name = mode === "live" ? current.stage.padEnd(STAGE_WIDTH) : `${current.stage}: done`;
    stay(`${mark}${name}${mode === "live" ? " " : ", "}${all.join(mode === "live" ? "  " : ", ")}`);
    current = undefined;
    clearInterval(timer);
  };

  return {
    update: (status) => {
      if (mode === "silent") return;
      if (current?.stage !== status.stage) {
        finish();
        began = clock();
        shownAt = -Infinity;
        shownTenth = 0;
        if (mode === "live") timer = setInterval(draw, SPIN_MILLISECONDS).unref();
      }
      current = status;
      if (mode === "live") {
        if (clock() - shownAt >= REDRAW_SECONDS) draw();
        return;
      }
      const since = clock() - shownAt;
      const tenth = Math.floor(10 * (fraction(status) ?? 0));
      if (since < PLAIN_SECONDS && !(tenth > shownTenth && since >= PLAIN_LEAST_SECONDS)) return;
      shownAt = clock();
      shownTenth = tenth;
      stay(plainLine(status, clock() - began));
    },
    note: (text) => {
      stay(mode === "live" ? `  ${oneLine(text, Math.max(20, target.width() - 3))}` : oneLine(text, 300));
      if (mode === "live") draw();
    },
    finish,
    close: () => {
      clear();
      current = undefined;
      clearInterval(timer);
    },
  };
}

const STAGE_WIDTH = 12;
const BAR_WIDTH = 20;
const NARROW = 60;
const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"] as const;

/** The line of a terminal: spinner, stage, bar, percentage, time left, and as many details as fit. */
export function liveLine(
  status: Status,
  { elapsed, width, stream }: { elapsed: number; width: number; stream: NodeJS.WriteStream },
): string {
  const style = (format: Parameters<typeof styleText>[0], text: string): string => styleText(format, text, { stream });
  const frame = FRAMES[Math.floor((elapsed * 1000) / SPIN_MILLISECONDS) % FRAMES.length]!;
  const part = fraction(status);
  let line = `${style("cyan", frame)} ${status.stage.padEnd(STAGE_WIDTH)}`;
  if (part !== undefined) {
    if (width >= NARROW) {
      const full = Math.round(part * BAR_WIDTH);
      line += ` ${style("cyan", "━".repeat(full))}${style("dim", "━".repeat(BAR_WIDTH - full))}`;
    }
    line += ` ${`${Math.floor(100 * part)}%`.padStart(4)}`;
  }
  const pieces = [...(status.details ?? [])];
  const left = remaining(status, elapsed);
  if (left !== undefined) pieces.splice(1, 0, `${formatClock(left)} left`);
  else if (part === undefined) pieces.push(formatDuration(elapsed));
  let room = width - stripVTControlCharacters(line).length;
  for (const [i, piece] of pieces.entries()) {
    if (piece.length + 2 > room) continue;
    room -= piece.length + 2;
    line += `  ${i === 0 ? piece : style("dim", piece)}`;
  }
  return line;
}

/** The same for a log: "training: 40 %, loss 3.215, 1,204 tokens/s, 35 s left". */
export function plainLine(status: Status, elapsed: number): string {
  const part = fraction(status);
  const left = remaining(status, elapsed);
  const pieces = [
    ...(part === undefined ? [] : [`${Math.floor(100 * part)} %`]),
    ...(status.details ?? []),
    ...(left === undefined ? [] : [`${formatDuration(left)} left`]),
  ];
  return pieces.length === 0 ? status.stage : `${status.stage}: ${pieces.join(", ")}`;
}

/** Done of the total, 0 to 1; undefined without a total. */
function fraction({ done, total }: Status): number | undefined {
  if (done === undefined || total === undefined || !(total > 0)) return undefined;
  return Math.min(1, Math.max(0, done / total));
}

/** Expected seconds to the end; undefined while too little is done to say. */
function remaining(status: Status, elapsed: number): number | undefined {
  if (status.eta !== undefined) return status.eta;
  const part = fraction(status);
  return part === undefined || part < 0.02 || elapsed < 1 ? undefined : (elapsed * (1 - part)) / part;
}
