// Which parts of a picture a pane wants to see with more pixels than the preview has.
//
//     map, sizes of picture and pane ─▶ what is seen, how large its pixels are ─▶ a few rectangles
//
// Each rectangle is no more than one answer can show, and reaches beyond what is seen where there
// is room, so that a small move asks for nothing new.

import { apply, around, corners, inverse } from "./geometry.js";

/** Pixels of a preview's longer side, at most. */
export const PREVIEW_SIDE = 1024;

/** Pixels of a detail's sides, at most. */
const DETAIL_SIDE = 1024;

/** Details of one picture, at most: what a very large screen shows beyond that is coarser. */
const MOST_PARTS = 12;

/** Scales come in quarters of an octave, so that a little more zoom asks for nothing new. */
const SCALES = 4;

/** Pixels by which neighbours overlap, so that no seam is seen. */
const OVERLAP = 2;

/** From this on a picture's pixel is no smaller than the screen's: it is shown as it is. */
const WHOLE_PIXEL = 0.999;

/** Say whether each pixel of a picture takes at least one of the screen. */
export const showsPixels = (size) => size >= WHOLE_PIXEL;

/** Return how many pixels of the screen a picture's pixel takes at a point, along its longer side. */
export function pixelSize(map, [x, y], density) {
  const [middle, right, below] = [[x, y], [x + 1, y], [x, y + 1]].map((each) => apply(map, each));
  const sides = [right, below].map((each) => Math.hypot(each[0] - middle[0], each[1] - middle[1]));
  return density * Math.max(...sides);
}

/**
 * Return which parts are wanted of a picture that `map` takes to a pane: {seen, step, box, parts};
 * null where the preview has all that the screen can show. A pixel of a part stands for `step`.
 */
export function wantedParts(map, picture, pane, density) {
  const seen = seenBox(map, picture, pane);
  if (!seen) return null;
  const size = pixelSize(map, [(seen.left + seen.right) / 2, (seen.top + seen.bottom) / 2], density);
  const shown = Math.min(1, PREVIEW_SIDE / Math.max(picture.width, picture.height));
  // A preview with all pixels of a small picture has lost some of what they were.
  if (!Number.isFinite(size) || (size <= shown && !showsPixels(size))) return null;
  let step = showsPixels(size) ? 1 : 2 ** (Math.floor(SCALES * Math.log2(1 / size)) / SCALES);
  for (;;) {
    const across = spans(seen.left, seen.right, picture.width, step);
    const down = spans(seen.top, seen.bottom, picture.height, step);
    if (across.length * down.length <= MOST_PARTS) return { seen, step, ...laidOut(across, down) };
    step *= 2 ** (1 / SCALES);
  }
}

/** Say whether the parts that are there already show all of what is wanted now, as finely. */
export function suffices(there, wanted) {
  const { box } = there;
  const { seen } = wanted;
  return there.step <= wanted.step && box.left <= seen.left && box.top <= seen.top &&
    box.right >= seen.right && box.bottom >= seen.bottom;
}

/** Return what of a picture is in the pane, by whole pixels; null where nothing is, or no end. */
function seenBox(map, { width, height }, pane) {
  const way = inverse(map);
  if (!way) return null;
  const points = corners(pane.width, pane.height);
  // Of what is tilted so far that a corner looks beyond the horizon, no rectangle is seen.
  const weights = points.map(([x, y]) => way[6] * x + way[7] * y + way[8]);
  if (!(Math.min(...weights) > 0 || Math.max(...weights) < 0)) return null;
  const box = around(points.map((each) => apply(way, each)));
  const seen = {
    left: Math.max(0, Math.floor(box.left)),
    top: Math.max(0, Math.floor(box.top)),
    right: Math.min(width, Math.ceil(box.left + box.width)),
    bottom: Math.min(height, Math.ceil(box.top + box.height)),
  };
  return seen.left < seen.right && seen.top < seen.bottom ? seen : null;
}

/** Divide one side: return {start, length} of each span; they overlap a little. */
function spans(from, to, length, step) {
  const room = Math.min(Math.floor(DETAIL_SIDE * step), length);
  const stride = room - Math.ceil(OVERLAP * step);
  const count = to - from <= room ? 1 : Math.ceil((to - from - room) / stride) + 1;
  const total = room + (count - 1) * stride;
  const first = Math.max(0, Math.min(length - total, Math.round((from + to - total) / 2)));
  return Array.from({ length: count }, (_, index) => {
    const start = first + index * stride;
    return { start, length: Math.min(room, length - start) };
  });
}

/** Return the rectangles, those in the middle first, and the box of all of them. */
function laidOut(across, down) {
  const parts = down.flatMap((row) => across.map((column) => ({
    left: column.start, top: row.start, width: column.length, height: row.length,
  })));
  const end = (all) => all[all.length - 1].start + all[all.length - 1].length;
  const box = { left: across[0].start, top: down[0].start, right: end(across), bottom: end(down) };
  const middle = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
  const away = ({ left, top, width, height }) =>
    Math.hypot(left + width / 2 - middle[0], top + height / 2 - middle[1]);
  return { box, parts: parts.sort((one, other) => away(one) - away(other)) };
}
