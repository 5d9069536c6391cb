/** Small figures as SVG text: rows (bars or points, with intervals) and lines. Not a plotting library: what benches need. */

/** Okabe and Ito's colours, which people with any colour vision tell apart. */
const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"] as const;
const grey = "#9a9a9a";
const WIDTH = 720;
const ROW = 26;
const TOP = 58;
const BOTTOM = 48;

export interface Row {
  readonly label: string;
  readonly value: number;
  /** Ends of the interval, drawn as a whisker. */
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  /** Written at the right end (default: the value). */
  readonly note?: string | undefined;
  /** Drawn in grey: a placebo, or what others are compared with. */
  readonly isMuted?: boolean | undefined;
}

export interface RowChart {
  readonly title: string;
  /** What was measured, how often, and what the intervals are. */
  readonly subtitle: string;
  readonly valueLabel: string;
  readonly rows: readonly Row[];
  /** Bars start at 0; points show estimates whose zero matters less than their interval. Default "bar". */
  readonly mark?: "bar" | "point";
}

export interface Point {
  readonly x: number;
  readonly y: number;
  readonly low?: number | undefined;
  readonly high?: number | undefined;
}

export interface Series {
  readonly label: string;
  readonly points: readonly Point[];
  /** Default true: joined in the order of the points. */
  readonly isLine?: boolean;
  readonly isMuted?: boolean;
}

export interface LineChart {
  readonly title: string;
  readonly subtitle: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
}

/** Horizontal bars or points, one row each, with whiskers. */
export function rowChart({ title, subtitle, valueLabel, rows, mark = "bar" }: RowChart): string {
  const left = 20 + 6.6 * Math.max(...rows.map(({ label }) => label.length));
  const right = WIDTH - 30 - 6.6 * Math.max(...rows.map((row) => noteOf(row).length));
  const bottom = TOP + ROW * rows.length;
  const x = scale([0, ...rows.flatMap(({ value, low = value, high = value }) => [value, low, high])], left, right);
  const parts = x.ticks.flatMap((tick) => [
    line(x.at(tick), TOP, x.at(tick), bottom, tick === 0 ? "#444444" : "#e4e4e4"),
    text(x.at(tick), bottom + 16, tickText(tick, x.ticks), "middle"),
  ]);
  rows.forEach((row, i) => {
    const { value, low, high, isMuted } = row;
    const y = TOP + ROW * (i + 0.5);
    const colour = isMuted ? grey : colours[0];
    parts.push(text(left - 8, y + 4, row.label, "end"), text(right + 12, y + 4, noteOf(row), "start"));
    if (mark === "bar") {
      const [from, to] = [x.at(0), x.at(value)].sort((a, b) => a - b) as [number, number];
      parts.push(
        `<rect x="${px(from)}" y="${px(y - 8)}" width="${px(to - from)}" height="16" fill="${colour}" fill-opacity="0.75"/>`,
      );
    }
    if (low !== undefined && high !== undefined) {
      const ink = mark === "bar" ? "#222222" : colour;
      parts.push(line(x.at(low), y, x.at(high), y, ink, 1.5));
      for (const end of [low, high]) parts.push(line(x.at(end), y - 4, x.at(end), y + 4, ink, 1.5));
    }
    if (mark === "point") parts.push(dot(x.at(value), y, colour));
  });
  parts.push(text((left + right) / 2, bottom + 36, valueLabel, "middle"));
  return svg(title, subtitle, bottom + BOTTOM, parts);
}

/** Lines or points over two axes, with vertical whiskers and, of more than one series, a legend at the right. */
export function lineChart({ title, subtitle, xLabel, yLabel, series }: LineChart): string {
  const left = 76;
  const legend = series.length > 1 ? 34 + 6.6 * Math.max(...series.map(({ label }) => label.length)) : 0;
  const right = WIDTH - 24 - legend;
  const bottom = TOP + 270;
  const all = series.flatMap(({ points }) => points);
  const x = scale(
    all.map((point) => point.x),
    left + 12,
    right - 12,
  );
  const y = scale(
    all.flatMap(({ y, low = y, high = y }) => [y, low, high]),
    bottom,
    TOP,
  );
  const parts = [
    ...y.ticks.flatMap((tick) => [
      line(left, y.at(tick), right, y.at(tick), tick === 0 ? "#444444" : "#e4e4e4"),
      text(left - 8, y.at(tick) + 4, tickText(tick, y.ticks), "end"),
    ]),
    ...x.ticks.map((tick) => text(x.at(tick), bottom + 18, tickText(tick, x.ticks), "middle")),
    line(left, bottom, right, bottom, "#444444"),
    text((left + right) / 2, bottom + 38, xLabel, "middle"),
    `<text transform="translate(18 ${px((TOP + bottom) / 2)}) rotate(-90)" text-anchor="middle">${escape(yLabel)}</text>`,
  ];
  let coloured = 0;
  series.forEach(({ label, points, isLine = true, isMuted = false }, i) => {
    const colour = isMuted ? grey : colours[coloured++ % colours.length]!;
    if (isLine) {
      const path = points.map((point) => `${px(x.at(point.x))},${px(y.at(point.y))}`).join(" ");
      parts.push(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    }
    for (const point of points) {
      if (point.low !== undefined && point.high !== undefined)
        parts.push(line(x.at(point.x), y.at(point.low), x.at(point.x), y.at(point.high), colour, 1.5));
      parts.push(dot(x.at(point.x), y.at(point.y), colour));
    }
    if (legend > 0) {
      parts.push(dot(right + 20, TOP + 8 + 20 * i, colour), text(right + 30, TOP + 12 + 20 * i, label, "start"));
    }
  });
  return svg(title, subtitle, bottom + BOTTOM, parts);
}

interface Scale {
  readonly ticks: readonly number[];
  at(value: number): number;
}

/** A linear scale from round number to round number around the values. */
function scale(values: readonly number[], from: number, to: number): Scale {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const wanted = (high - low || Math.abs(high) || 1) / 5;
  const magnitude = 10 ** Math.floor(Math.log10(wanted));
  const step = [1, 2, 2.5, 5, 10].find((of) => of * magnitude >= wanted * (1 - 1e-9))! * magnitude;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  const at = (value: number): number => from + ((value - first * step) / ((last - first) * step)) * (to - from);
  return { ticks, at };
}

/** As many decimals as the finest tick has. */
function tickText(tick: number, ticks: readonly number[]): string {
  return tick.toFixed(Math.max(...ticks.map((one) => (String(one).split(".")[1] ?? "").length)));
}

function noteOf({ value, note }: Row): string {
  return note ?? value.toFixed(4);
}

/** On white, so that it can be read on any page. */
function svg(title: string, subtitle: string, height: number, parts: readonly string[]): string {
  const head = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`,
    ' font-family="system-ui, sans-serif" font-size="12" fill="#222222" role="img">',
  ].join("");
  return [
    head,
    `<title>${escape(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="14" y="22" font-size="15" font-weight="600">${escape(title)}</text>`,
    `<text x="14" y="42" fill="#555555">${escape(subtitle)}</text>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string, width = 1): string {
  return `<line x1="${px(x1)}" y1="${px(y1)}" x2="${px(x2)}" y2="${px(y2)}" stroke="${colour}" stroke-width="${width}"/>`;
}

function dot(x: number, y: number, colour: string): string {
  return `<circle cx="${px(x)}" cy="${px(y)}" r="4" fill="${colour}"/>`;
}

function text(x: number, y: number, content: string, anchor: "start" | "middle" | "end"): string {
  return `<text x="${px(x)}" y="${px(y)}" text-anchor="${anchor}">${escape(content)}</text>`;
}

/** Tenths of a pixel: enough, and the same on every machine. */
function px(value: number): string {
  return String(Number(value.toFixed(1)));
}

function escape(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
