/** Numbers as people read them. */

/** 12345.6 -> "12,346". */
export function formatCount(value: number): string {
  // Not toLocaleString, which takes tens of milliseconds when it is first called.
  return String(Math.round(value)).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** 1, "document" -> "1 document"; 2000, "document" -> "2,000 documents". */
export function formatMany(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Seconds -> "0.4 s", "41 s", "3 min 5 s", "2 h 10 min". */
export function formatDuration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Seconds -> "0:41", "3:05", "2:10:07": as a clock counts down. */
export function formatClock(seconds: number): string {
  const whole = Math.round(seconds);
  const padded = (value: number): string => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return `${hours > 0 ? `${hours}:${padded(minutes)}` : minutes}:${padded(whole % 60)}`;
}

/** Bytes -> "17 B", "4.2 KB", "138 MB"; powers of 1000. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"] as const;
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Four significant places of a figure such as bits per byte: "1.732". */
export function formatFigure(value: number): string {
  return value.toFixed(3);
}

/** Text as one line of at most `width` characters. */
export function oneLine(text: string, width: number): string {
  // oxlint-disable-next-line no-control-regex -- what a model writes must not steer the terminal
  const line = text.replaceAll(/[\s\u0000-\u001F\u007F-\u009F]+/g, " ").trim();
  const characters = [...line];
  return characters.length <= width ? line : `${characters.slice(0, width - 1).join("")}…`;
}

/** Text of several lines with `mark` for each control character by which it could steer the terminal. */
export function harmless(text: string, mark = ""): string {
  // oxlint-disable-next-line no-control-regex -- exactly these
  return text.replaceAll(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, mark);
}
