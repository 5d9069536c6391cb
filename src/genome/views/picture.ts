/** A genome as a picture: areas by bytes, one block per repository, colours by kind, what repeats hatched. An SVG. */
import type { Kind } from "../content/classify.ts";
import type { Gene } from "../gene.ts";
import { squarify } from "./treemap.ts";
import type { Rectangle } from "./treemap.ts";

const width = 1200;
const mapHeight = 720;
const mapTop = 76;
const labelHeight = 18;
/** Mean width of a character of the labels' font, in parts of its size. */
const characterWidth = 0.62;
const fewestCharacters = 7;

/** Kinds that are trained on have colours, those that mostly are not have greys and browns. */
const colours: Readonly<Record<Kind, readonly [light: string, dark: string]>> = {
  code: ["#3b7dd8", "#4f8fe8"],
  prose: ["#2f9e63", "#3fb277"],
  dialogue: ["#12a3ac", "#25b8c1"],
  notebook: ["#d0559d", "#de6cb0"],
  data: ["#e08a1e", "#e89b3c"],
  config: ["#8a63d2", "#9d7be0"],
  licence: ["#c2b11f", "#d1c136"],
  log: ["#a0714a", "#b0835e"],
  lock: ["#7d8896", "#8b96a5"],
  generated: ["#94a0ae", "#78838f"],
  vendored: ["#6b7787", "#99a5b3"],
  minified: ["#b0a79c", "#8a8278"],
  backup: ["#b98d85", "#a67a72"],
  other: ["#b8bec6", "#667080"],
};

interface Part {
  readonly bytes: number;
  /** Of these. */
  readonly repeated: number;
  readonly genes: number;
}

type Parts = Map<string, Part>;

export interface PictureOptions {
  readonly title: string;
  /** Bytes as people read them. */
  readonly formatBytes: (bytes: number) => string;
}

/** Draws a genome as an SVG that stands for itself, with a title, a legend, and names on hovering; light and dark. */
export function drawGenome(genes: readonly Gene[], { title, formatBytes }: PictureOptions): string {
  const repositories = [...Map.groupBy(genes, ({ repository }) => repository)]
    .map(([name, own]) => ({ name, kinds: partsOf(own), total: sumOf(own) }))
    .filter(({ total }) => total.bytes > 0)
    .sort((a, b) => b.total.bytes - a.total.bytes || (a.name < b.name ? -1 : 1));
  const total = sumOf(genes);
  const map = { x: 0, y: mapTop, width, height: mapHeight };
  const blocks = squarify(
    repositories.map((repository) => repository.total.bytes),
    map,
  );
  const describe = ({ bytes, repeated, genes }: Part): string =>
    `${formatBytes(bytes)} in ${genes} ${genes === 1 ? "file" : "files"}${
      repeated > 0 ? `, ${formatBytes(repeated)} of it repeated` : ""
    }`;
  const body = repositories.flatMap(({ name, kinds, total: own }, i) => {
    const block = inset(blocks[i]!, 1.5);
    const labelled = block.height > 2.5 * labelHeight && fits(name, 12, block.width - 8) !== "";
    const inner = labelled ? { ...block, y: block.y + labelHeight, height: block.height - labelHeight } : block;
    const cells = squarify(
      [...kinds.values()].map(({ bytes }) => bytes),
      inner,
    );
    return [
      `<g><title>${text(`${name}: ${describe(own)}`)}</title>`,
      box(block, `class="block"`),
      labelled ? label(name, block.x + 4, block.y + 13, 12, block.width - 8, "name") : "",
      ...[...kinds].flatMap(([kind, part], k) => cell(kind, part, cells[k]!, `${name}, ${kind}: ${describe(part)}`)),
      `</g>`,
    ];
  });
  const all = partsOf(genes);
  const legend = legendOf(all, total, formatBytes);
  const height = mapTop + mapHeight + legend.height;
  const used = [...all.keys()] as Kind[];
  const subtitle = `${describe(total)}, ${repositories.length} ${
    repositories.length === 1 ? "repository" : "repositories"
  }. Areas are bytes.`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif">`,
    `<title>${text(title)}</title>`,
    `<style>${style(used)}</style>`,
    `<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="line" d="M0 0V7"/></pattern></defs>`,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    label(title, 8, 32, 22, width - 16, "title"),
    label(subtitle, 8, 58, 14, width - 16, "subtitle"),
    ...body,
    ...legend.lines,
    `</svg>`,
    "",
  ]
    .filter((line, i, lines) => line !== "" || i === lines.length - 1)
    .join("\n");
}

/** The part of a cell that repeats is a hatched strip of its area. */
function cell(kind: string, part: Part, place: Rectangle, title: string): string[] {
  const { x, y, width, height } = inset(place, 0.5);
  if (width <= 0 || height <= 0) return [];
  const share = part.repeated / part.bytes;
  const strip =
    width >= height
      ? { x: x + width * (1 - share), y, width: width * share, height }
      : { x, y: y + height * (1 - share), width, height: height * share };
  const shown = width > 44 && height > 18 ? label(kind, x + 4, y + 13, 11, width - 8, "cell") : "";
  return [
    `<g><title>${text(title)}</title>${box({ x, y, width, height }, `class="${kind}"`)}`,
    share > 0 ? box(strip, `fill="url(#hatch)"`) : "",
    `${shown}</g>`,
  ];
}

function legendOf(
  parts: Parts,
  total: Part,
  formatBytes: (bytes: number) => string,
): { lines: string[]; height: number } {
  const column = 200;
  const perRow = Math.floor(width / column);
  const share = (bytes: number): string => {
    const percent = (100 * bytes) / total.bytes;
    if (percent < 0.05) return "under 0.1 %";
    return percent >= 0.95 ? `${Math.round(percent)} %` : `${percent.toFixed(1)} %`;
  };
  const entries = [...parts].map(([kind, { bytes }]) => ({
    kind,
    name: `${kind} ${share(bytes)}, ${formatBytes(bytes)}`,
  }));
  if (total.repeated > 0) {
    entries.push({ kind: "repeated", name: `repeated ${share(total.repeated)}` });
  }
  const top = mapTop + mapHeight + 14;
  const lines = entries.flatMap(({ kind, name }, i) => {
    const x = 8 + (i % perRow) * column;
    const y = top + Math.floor(i / perRow) * 24;
    const square = { x, y, width: 14, height: 14 };
    const hatch = kind === "repeated" ? box(square, `fill="url(#hatch)"`) : "";
    return [box(square, `class="${kind}"`), hatch, label(name, x + 20, y + 12, 13, column - 24, "subtitle")];
  });
  return { lines, height: 14 + Math.ceil(entries.length / perRow) * 24 + 4 };
}

function style(used: readonly Kind[]): string {
  const rules = (at: 0 | 1): string => used.map((kind) => `.${kind}{fill:${colours[kind][at]}}`).join("");
  return [
    `.ground{fill:#fff}.block{fill:#e9ecf0}.title,.name{fill:#14181d}.subtitle{fill:#4a5561}.cell{fill:#fff}`,
    `.name,.title{font-weight:600}.line{stroke:#fff;stroke-opacity:.65;stroke-width:3}.repeated{fill:#7d8896}`,
    rules(0),
    `@media (prefers-color-scheme:dark){.ground{fill:#14181d}.block{fill:#262d35}.title,.name{fill:#eef1f4}.subtitle{fill:#aab4bf}`,
    `.cell{fill:#0c0f12}.line{stroke:#14181d}${rules(1)}}`,
  ].join("");
}

function partsOf(genes: readonly Gene[]): Parts {
  const parts = [...Map.groupBy(genes, ({ kind }) => kind)].map(([kind, own]) => [kind, sumOf(own)] as const);
  return new Map(parts.filter(([, { bytes }]) => bytes > 0).sort(([, a], [, b]) => b.bytes - a.bytes));
}

function sumOf(genes: readonly Gene[]): Part {
  let [bytes, repeated] = [0, 0];
  for (const gene of genes) {
    bytes += gene.bytes;
    if (!gene.representative) repeated += gene.bytes;
  }
  return { bytes, repeated, genes: genes.length };
}

function inset({ x, y, width, height }: Rectangle, by: number): Rectangle {
  return { x: x + by, y: y + by, width: Math.max(0, width - 2 * by), height: Math.max(0, height - 2 * by) };
}

function box({ x, y, width, height }: Rectangle, attributes: string): string {
  const [left, top, across, down] = [x, y, width, height].map((value) => Number(value.toFixed(2)));
  return `<rect x="${left}" y="${top}" width="${across}" height="${down}" ${attributes}/>`;
}

function label(words: string, x: number, y: number, size: number, room: number, kind: string): string {
  const shown = fits(words, size, room);
  const [left, base] = [Number(x.toFixed(2)), Number(y.toFixed(2))];
  return shown === "" ? "" : `<text class="${kind}" x="${left}" y="${base}" font-size="${size}">${text(shown)}</text>`;
}

/** As many characters as there is room for; none where so few fit that they say nothing. */
function fits(words: string, size: number, room: number): string {
  const characters = [...words];
  const most = Math.floor(room / (size * characterWidth));
  if (characters.length <= most) return words;
  return most < fewestCharacters ? "" : `${characters.slice(0, most - 1).join("")}…`;
}

/** Text in XML, without the characters that XML cannot hold. */
function text(words: string): string {
  return (
    words
      .toWellFormed()
      // oxlint-disable-next-line no-control-regex -- they are what is taken out
      .replaceAll(/[\u0000-\u001F\u007F-\u009F\uFFFE\uFFFF]/g, "\uFFFD")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
  );
}
