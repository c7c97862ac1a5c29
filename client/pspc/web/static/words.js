// What documents of the API say → sentences: how a picture was turned, which part it is, how fresh.

import { hasText, percent, rough, t } from "./i18n.js";
import { visible } from "./paths.js";

/** The surest first. */
export const VERDICTS = ["same_file", "same_pixels", "copy", "alike"];

/** Share of an area from which on all of it is said to be there, as `pspc` has it. */
export const WHOLE = 0.97;

/** Say how a hit is turned against the query; empty when it is not. */
export function turnWords(hit) {
  if (hit.proof) {
    const degrees = Math.round(hit.proof.angle + 360) % 360;
    const words = hit.proof.mirrored ? [t("turn.mirrored")] : [];
    if (degrees) words.push(t("turn.by", { degrees }));
    return words.join(t("list.and"));
  }
  if (hit.turn && hit.turn !== "none") return t(`turn.${hit.turn}`);
  return hit.upright ? t("turn.tag") : "";
}

/** Say which part of one picture is in the other; empty when each is all of the other. */
export function placeWords(proof) {
  const words = [];
  if (proof.indexed_share < WHOLE) words.push(t("place.part", { share: percent(proof.indexed_share) }));
  if (proof.query_share < WHOLE) words.push(t("place.query", { share: percent(proof.query_share) }));
  if (proof.colour) words.push(t("place.colour", { colour: visible(proof.colour) }));
  return words.join(t("list.comma"));
}

/** Say what limits an answer; an empty list when nothing does. */
export function freshnessWords(freshness, flat = false) {
  const words = [];
  if (freshness.problem) words.push(visible(freshness.problem));
  if (flat) words.push(t("fresh.flat"));
  if (freshness.pending) words.push(t("fresh.pending", { count: freshness.pending }));
  if (freshness.scanning_roots.length) {
    words.push(t("fresh.scanning", { count: freshness.scanning_roots.length }));
  }
  for (const path of freshness.unavailable_roots) {
    words.push(t("fresh.unavailable", { path: visible(path) }));
  }
  for (const path of freshness.paused_roots) words.push(t("fresh.paused", { path: visible(path) }));
  if (freshness.unverified) words.push(t("fresh.unverified", { count: freshness.unverified }));
  if (freshness.described < freshness.describable) {
    const { described, describable } = freshness;
    words.push(t("fresh.undescribed", { described, describable }));
  }
  if (freshness.cut) words.push(t("fresh.cut", { reason: cutWords(freshness.cut) }));
  return words;
}

/** What the daemon says was left out, clause by clause, and the text for it. */
const CUTS = [
  [/^(\d+) of (\d+) ways to look at the query$/, "cut.looks"],
  [/^(\d+) of (\d+) candidates were not compared$/, "cut.candidates"],
];

/** Say what there was no time for; a clause that is not known is shown as it comes. */
function cutWords(cut) {
  return cut.split("; ").map((clause) => {
    for (const [shape, key] of CUTS) {
      const found = shape.exec(clause);
      if (found) return t(key, { left: Number(found[1]), all: Number(found[2]) });
    }
    return visible(clause);
  }).join(t("list.semicolon"));
}

/** Say how many foreign hits are to be expected. */
export function expectedWords(expected) {
  return expected < 0.01 ? t("expected.few") : t("expected.some", { hits: rough(expected) });
}

/** Say why a file could not be read. */
export function reasonWords(reason) {
  return hasText(`reason.${reason}`) ? t(`reason.${reason}`) : reason;
}
