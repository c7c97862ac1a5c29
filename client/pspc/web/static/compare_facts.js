// What is known of two pictures, beside each other; what differs is marked, for ears as well.

import { h } from "./dom.js";
import { bytes, moment, number, pixels, rough, say, t } from "./i18n.js";
import { visible } from "./paths.js";

/** Make the table of sizes, kinds, files and tags. */
export function factTable(first, second) {
  const sides = [first, second];
  const rows = [
    row("fact.name", sides, (side) => side.name || t("query.pasted"), { isText: true }),
    row("fact.folder", sides, foldersOf, { isText: true }),
    row("fact.size", sides, ({ width, height }) => pixels(width, height),
      { best: ({ width, height }) => width * height }),
    row("fact.format", sides, ({ format }) => format),
    row("fact.bytes", sides, (side) => bytes(side.bytes), { best: (side) => side.bytes }),
    row("fact.modified", sides, modifiedOf),
    row("fact.frames", sides, ({ frames }) => number(frames ?? 1)),
    row("fact.channels", sides, ({ channels }) => (channels ? t(`channels.${channels}`) : "")),
    row("fact.orientation", sides, ({ orientation }) => String(orientation ?? "")),
    ...tagRows(sides),
  ];
  const head = ["A", "B"].map((letter, index) => h("th", { scope: "col" }, `${letter} `,
    sides[index].isQuery ? h("small", {}, say("query")) : null));
  return h("div", { class: "fact-table" }, h("table", {},
    h("caption", { class: "unseen" }, say("compare.facts")),
    h("thead", {}, h("tr", {}, h("td", {}), head)), h("tbody", {}, rows)));
}

/** Make the list of what each tier says. */
export function reasonList(reasons) {
  return h("details", { class: "reasons", open: true }, h("summary", {}, say("compare.why")),
    h("ul", {}, reasons.map((reason) => h("li", { class: `says-${reason.says}` },
      h("span", { class: "sign", "aria-hidden": "true" }, { joins: "+", parts: "−" }[reason.says] ?? "·"),
      h("span", { class: "unseen" }, say(`says.${reason.says}`)),
      h("span", {}, h("strong", {}, say(`tier.${reason.tier}`)), " ",
        h("span", { class: "reason-value" }, () => measured(reason)),
        h("small", { lang: "en" }, visible(reason.text)))))));
}

function measured({ value, threshold }) {
  if (value === null || threshold === null) return "";
  return t("reason.measured", { value: short(value), threshold: short(threshold) });
}

function short(value) {
  return Number.isInteger(value) ? number(value) : rough(value);
}

function row(key, sides, text, { best = null, isText = false } = {}) {
  const [one, other] = sides.map(text);
  const differs = one !== other;
  const values = best ? sides.map(best) : [0, 0];
  const cells = sides.map((side, index) => {
    const isBetter = best && values[index] > values[1 - index];
    return h("td", { class: isBetter ? "better" : null },
      h(isText ? "bdi" : "span", {}, () => text(side)));
  });
  const mark = differs ? h("span", { class: "unseen" }, say("compare.differs")) : null;
  return h("tr", { class: differs ? "differs" : null }, h("th", { scope: "row" }, say(key), mark), cells);
}

function foldersOf({ files }) {
  const paths = files.map(({ path }) => visible(path.slice(0, path.lastIndexOf("/")) || "/"));
  return [...new Set(paths)].join("\n");
}

function modifiedOf({ files }) {
  const when = files.find(({ modified }) => modified)?.modified;
  return when ? moment(when) : "";
}

function tagRows(sides) {
  const texts = sides.map(({ tags }) => new Map(tags));
  const names = [...new Set(sides.flatMap(({ tags }) => tags.map(([name]) => name)))];
  return names.map((name) => {
    const [one, other] = texts.map((each) => visible(each.get(name) ?? ""));
    const differs = one !== other;
    return h("tr", { class: `tag ${differs ? "differs" : ""}` },
      h("th", { scope: "row" }, visible(name),
        differs ? h("span", { class: "unseen" }, say("compare.differs")) : null),
      h("td", {}, h("bdi", {}, one)), h("td", {}, h("bdi", {}, other)));
  });
}
