// Maps of the plane as nine numbers, row by row, as the API has them.

export const IDENTITY = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** Do `second` first, then `first`. */
export function multiply(first, second) {
  const product = [];
  for (let row = 0; row < 3; row += 1) {
    for (let column = 0; column < 3; column += 1) {
      let sum = 0;
      for (let each = 0; each < 3; each += 1) sum += first[3 * row + each] * second[3 * each + column];
      product.push(sum);
    }
  }
  return product;
}

/** Do several maps, the last one first. */
export function chain(...maps) {
  return maps.reduce(multiply, IDENTITY);
}

/** Return the way back; null where there is none. */
export function inverse([a, b, c, d, e, f, g, h, i]) {
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  if (!Number.isFinite(determinant) || determinant === 0) return null;
  return [
    e * i - f * h, c * h - b * i, b * f - c * e,
    f * g - d * i, a * i - c * g, c * d - a * f,
    d * h - e * g, b * g - a * h, a * e - b * d,
  ].map((each) => each / determinant);
}

export const scaling = (x, y = x) => [x, 0, 0, 0, y, 0, 0, 0, 1];
export const shifting = (x, y) => [1, 0, x, 0, 1, y, 0, 0, 1];

/** Return where a point goes. */
export function apply([a, b, c, d, e, f, g, h, i], [x, y]) {
  const weight = g * x + h * y + i;
  return [(a * x + b * y + c) / weight, (d * x + e * y + f) / weight];
}

/** Write a map as CSS wants it, for an element whose `transform-origin` is its upper left corner. */
export function css([a, b, c, d, e, f, g, h, i]) {
  const columns = [a, d, 0, g, b, e, 0, h, 0, 0, 1, 0, c, f, 0, i];
  return `matrix3d(${columns.map((each) => each.toFixed(9)).join()})`;
}

/** Return the corners of a picture, going round. */
export function corners(width, height) {
  return [[0, 0], [width, 0], [width, height], [0, height]];
}

/** Return the upright rectangle around points, as {left, top, width, height}. */
export function around(points) {
  const across = points.map(([x]) => x);
  const down = points.map(([, y]) => y);
  const [left, top] = [Math.min(...across), Math.min(...down)];
  return { left, top, width: Math.max(...across) - left, height: Math.max(...down) - top };
}

/** Return the outline of a picture after a map, as CSS has it for clipping. */
export function outline({ width, height }, map) {
  const points = corners(width, height).map((each) => apply(map, each));
  return `polygon(${points.map(([x, y]) => `${x.toFixed(1)}px ${y.toFixed(1)}px`).join()})`;
}

/** What each turn does to a picture whose sides are 1: `rotate_90` is counter-clockwise. */
const TURNS = {
  none: IDENTITY,
  rotate_90: [0, 1, 0, -1, 0, 1, 0, 0, 1],
  rotate_180: [-1, 0, 1, 0, -1, 1, 0, 0, 1],
  rotate_270: [0, -1, 1, 1, 0, 0, 0, 0, 1],
  flip_left_right: [-1, 0, 1, 0, 1, 0, 0, 0, 1],
  flip_top_bottom: [1, 0, 0, 0, -1, 1, 0, 0, 1],
  transpose: [0, 1, 0, 1, 0, 0, 0, 0, 1],
  transverse: [0, -1, 1, -1, 0, 1, 0, 0, 1],
};

/** Return the map of a turn; that of a word that is none changes nothing. */
export function turnMap(name) {
  return TURNS[name] ?? IDENTITY;
}
