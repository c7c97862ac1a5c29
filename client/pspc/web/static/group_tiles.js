// How a group of copies is drawn: its head, and a tile for each file with what is to become of it.

import { h } from "./dom.js";
import { bytes, say, t } from "./i18n.js";
import { icon } from "./icons.js";
import { imagesOf } from "./groups.js";
import { nameOf, pathLabel } from "./paths.js";
import { factsOf } from "./results.js";
import { ruleName } from "./rules.js";
import { thumbnail } from "./thumbnails.js";
import { turnWords } from "./words.js";

const SIGNS = { keep: "keep", trash: "trash", link: "link", stay: "stay" };

/** Draw what stands above the files of a group. */
export function drawHead(group, groups, does) {
  const part = h("input", { type: "checkbox", checked: groups.takesPart(group),
    "aria-label": say("group.part"), onchange: () => groups.setPart(group, part.checked) });
  const going = group.files.filter((file) => groups.goes(file));
  const spare = going.reduce((sum, file) => sum + file.bytes, 0);
  const distinct = imagesOf(group).length > 1 ? h("button", { type: "button", class: "button quiet small",
    onclick: () => does.distinct(group) }, icon("different"), say("group.distinct")) : null;
  return h("div", { class: `group-head ${groups.takesPart(group) ? "" : "left-out"}` },
    h("label", { class: "choice" }, part,
      h("h2", {}, () => t("group.files", { count: group.files.length }))),
    groups.isBare(group) ? h("span", { class: "group-bare" }, icon("warning"), h("span", {}, say("group.bare")))
      : h("span", { class: "group-spare" }, () => (going.length
        ? t("group.spare", { count: going.length, bytes: bytes(spare) }) : t("group.nothing"))),
    h("span", { class: "group-tools" },
      h("button", { type: "button", class: "button quiet small", onclick: () => does.compare(group) },
        icon("compare"), say("hit.compare")), distinct));
}

/** Draw a file of a group. */
export function drawTile(file, group, groups, does) {
  const verb = groups.doOf(group, file);
  const open = h("button", { type: "button", class: "tile-open",
    "aria-label": () => labelOf(file, verb), "aria-pressed": String(groups.goes(file)),
    onclick: () => does.toggle(group, file) },
    h("span", { class: "frame" }, thumbnail(file.image),
      h("span", { class: "chips" }, chipsOf(file).map(([kind, text]) =>
        h("span", { class: `chip ${kind}` }, text)))),
    h("span", { class: "do-band" }, icon(SIGNS[verb]), h("span", {}, () => doWords(file, verb))),
    h("span", { class: "tile-text" }, pathLabel(file.path),
      h("span", { class: "facts" }, () => factsOf(file))));
  const actions = h("span", { class: "tile-actions" },
    action("keep", "group.keep_only", () => does.keepOnly(group, file)),
    action("info", "group.details", () => does.details(group, file)),
    action("compare", "group.compare_kept", () => does.compareFile(group, file)));
  return h("div", { class: `copy do-${verb} ${groups.takesPart(group) ? "" : "left-out"}` }, open, actions);
}

/** Return what changes the look of a group's head. */
export function headStampOf(group, groups) {
  const going = group.files.filter((file) => groups.goes(file));
  const spare = going.reduce((sum, file) => sum + file.bytes, 0);
  return [groups.takesPart(group), group.files.length, going.length, spare, imagesOf(group).length].join(" ");
}

/** Return what changes the look of a tile. */
export function stampOf(file, group, groups) {
  const { image, why = "", verdict, distance, do: proposed } = file;
  return [groups.doOf(group, file), groups.takesPart(group), proposed, why, image, verdict, distance].join(" ");
}

function action(name, text, does) {
  return h("button", { type: "button", class: "button square small", title: say(text),
    "aria-label": say(text), onclick: does }, icon(name));
}

function chipsOf(file) {
  const chips = [];
  const verdict = verdictOf(file);
  if (verdict) chips.push([`verdict ${verdict}`, say(`verdict.${verdict}`)]);
  if (turnWords(file)) chips.push(["turn", () => turnWords(file)]);
  if (file.verdict === "copy" && file.distance) {
    chips.push(["bits", () => t("hit.bits", { count: file.distance })]);
  }
  return chips;
}

/** Return what a file is to the kept one, or else to the best; null of the best itself. */
function verdictOf(file) {
  if (file.do === "trash" && file.why) return file.why;
  return file.verdict === "best" ? null : file.verdict;
}

function doWords(file, verb) {
  const isByRule = verb === "keep" && file.do === "keep" && file.why;
  if (!isByRule) return t(`do.${verb}`);
  return file.why === "path" ? t("do.keep") : t("do.keep_by", { rule: ruleName(file.why) });
}

function labelOf(file, verb) {
  const verdict = verdictOf(file) ? t(`verdict.${verdictOf(file)}`) : "";
  const words = [doWords(file, verb), nameOf(file.path), factsOf(file), verdict, turnWords(file)];
  return words.filter(Boolean).join(t("list.comma"));
}
