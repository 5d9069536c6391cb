/** Rectangles whose areas are in proportion to weights, as square as they can be: a squarified treemap. */

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Divides an area by weights (Bruls, Huizing and van Wijk, "Squarified treemaps", 2000).
 *
 * @param weights positive, the largest first
 * @returns one rectangle for each, in their order; together they fill the area
 */
export function squarify(weights: readonly number[], area: Rectangle): Rectangle[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const scale = (area.width * area.height) / total;
  const rectangles: Rectangle[] = [];
  let rest = area;
  for (let from = 0; from < weights.length;) {
    const side = Math.min(rest.width, rest.height);
    let to = from + 1;
    let sum = weights[from]! * scale;
    let ratio = worstRatio(weights[from]! * scale, weights[from]! * scale, sum, side);
    for (; to < weights.length; to++) {
      const grown = sum + weights[to]! * scale;
      const next = worstRatio(weights[from]! * scale, weights[to]! * scale, grown, side);
      if (next > ratio) break;
      [sum, ratio] = [grown, next];
    }
    const row = weights.slice(from, to).map((weight) => weight * scale);
    rectangles.push(...layRow(row, sum, rest));
    rest = withoutRow(sum, rest);
    from = to;
  }
  return rectangles;
}

/** The ratio of sides of the least square rectangle of a row along a side: its largest and smallest area tell. */
function worstRatio(largest: number, smallest: number, sum: number, side: number): number {
  return Math.max((side * side * largest) / (sum * sum), (sum * sum) / (side * side * smallest));
}

/** A row stands along the shorter side. */
function layRow(areas: readonly number[], sum: number, { x, y, width, height }: Rectangle): Rectangle[] {
  const along = Math.min(width, height);
  const thickness = along > 0 ? sum / along : 0;
  let at = 0;
  return areas.map((area) => {
    const length = thickness > 0 ? area / thickness : 0;
    const rectangle =
      width >= height
        ? { x, y: y + at, width: thickness, height: length }
        : { x: x + at, y, width: length, height: thickness };
    at += length;
    return rectangle;
  });
}

function withoutRow(sum: number, { x, y, width, height }: Rectangle): Rectangle {
  const along = Math.min(width, height);
  const thickness = along > 0 ? sum / along : 0;
  return width >= height
    ? { x: x + thickness, y, width: Math.max(0, width - thickness), height }
    : { x, y: y + thickness, width, height: Math.max(0, height - thickness) };
}
