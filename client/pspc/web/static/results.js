// The answer to a search: the sentence that says whether one has it, and the files, by verdict.

import { fill, h } from "./dom.js";
import { bytes, number, percent, pixels, say, t } from "./i18n.js";
import { icon } from "./icons.js";
import { errorText, speak } from "./notices.js";
import { copyPath, nameOf, pathLabel } from "./paths.js";
import { thumbnail } from "./thumbnails.js";
import { TileGrid } from "./tile_grid.js";
import { VERDICTS, WHOLE, freshnessWords, placeWords, turnWords } from "./words.js";

const SIZES = { width: 12.5, height: 16.5, head: 3.25, narrow: 34, flat: 7.5, flatHead: 3 };

export class Results {
  /** Take what to do with a hit: `open`, `compare`, `search` and `show`, each called with it. */
  constructor(does) {
    this.does = does;
    this.query = null;
    this.headline = h("h1", { class: "headline", tabindex: "-1" });
    this.progress = h("p", { class: "closer", hidden: true });
    this.notes = h("ul", { class: "fresh-notes" });
    this.scope = h("p", { class: "scope" });
    this.host = h("div", { class: "hits", "aria-label": say("results") });
    this.grid = new TileGrid(this.host, {
      sizes: SIZES,
      head: (section) => this.drawHead(section),
      tile: (hit) => this.drawTile(hit),
      keyOf: (hit) => hit.key,
      headStamp: ({ key, items }) => `${key} ${items.length}`,
      stampOf: (hit) => this.stampOf(hit),
    });
    this.element = h("section", { class: "results", "aria-label": say("results") },
      h("div", { class: "answer" }, this.headline, this.progress, this.scope, this.notes),
      this.host);
  }

  /** Show how far a query is, and what it found. */
  show(query) {
    const isOther = query !== this.query;
    this.query = query;
    this.element.classList.toggle("busy", query.state === "searching");
    this.progress.hidden = !["searching", "closer"].includes(query.state);
    fill(this.progress, h("span", { class: "spinner" }),
      say(query.looksCloser ? "results.closer" : "answer.searching"));
    fill(this.headline, () => headlineOf(query));
    this.headline.className = `headline ${toneOf(query)}`;
    this.showScope(query);
    const hits = query.answer?.hits ?? [];
    if (isOther) this.grid.rewind();
    this.host.hidden = hits.length === 0;
    this.grid.setSections(sectionsOf(hits));
    if (query.state === "closer" || query.state === "done") speak(spokenOf(query));
    if (query.state === "failed") speak(query.error.sentence);
  }

  /** Return the hit that has the focus. */
  get focused() {
    return this.host.hidden ? null : this.grid.focused?.item ?? null;
  }

  showScope(query) {
    const { answer, error } = query;
    fill(this.notes);
    fill(this.scope);
    if (error) this.notes.append(h("li", { class: "error" }, icon("warning"), errorText(error)));
    if (!answer) return;
    fill(this.scope, () => t("results.scope", {
      count: answer.freshness.indexed, milliseconds: Math.max(1, Math.round(answer.elapsed_ms)),
    }));
    for (const words of wishNotes(query)) {
      this.notes.append(h("li", {}, icon("filter"), h("span", {}, words)));
    }
    const count = freshnessWords(answer.freshness, answer.query.flat).length;
    for (let index = 0; index < count; index += 1) {
      // The number of sentences does not change with the language.
      const words = () => freshnessWords(answer.freshness, answer.query.flat)[index];
      this.notes.append(h("li", {}, icon("info"), h("span", {}, words)));
    }
    if (answer.freshness.cut && query.state === "done") {
      this.notes.append(h("li", {}, h("button", { type: "button", class: "button small",
        onclick: () => query.longer() }, say("results.longer"))));
    }
  }

  drawHead({ key, items }) {
    return h("div", { class: `verdict-head ${key}` },
      h("h2", {}, h("span", { class: "dot" }), say(`verdict.${key}`)),
      h("span", { class: "count" }, () => number(items.length)),
      h("span", { class: "meaning" }, say(`verdict.${key}.meaning`)));
  }

  drawTile(hit) {
    const chips = chipsOf(hit, this.query.answer.query).map(([kind, text]) =>
      h("span", { class: `chip ${kind}` }, text));
    if (!this.query.early.has(hit.key)) chips.push(h("span", { class: "chip later" }, say("hit.later")));
    const open = h("button", { type: "button", class: "tile-open", onclick: () => this.does.open(hit),
      "aria-label": () => labelOf(hit) },
      h("span", { class: "frame" }, thumbnail(hit.image), h("span", { class: "chips" }, chips)),
      h("span", { class: "tile-text" }, pathLabel(hit.path),
        h("span", { class: "facts" }, () => factsOf(hit))));
    const actions = h("span", { class: "tile-actions" },
      this.action("compare", "hit.compare", () => this.does.compare(hit)),
      this.action("search", "hit.search", () => this.does.search(hit)),
      this.action("clipboard", "hit.copy", () => copyPath(hit)));
    return h("div", { class: `hit ${hit.verdict}` }, open, actions);
  }

  action(name, text, does) {
    return h("button", { type: "button", class: "button square small", title: say(text),
      "aria-label": say(text), onclick: does }, icon(name));
  }

  stampOf(hit) {
    const { image, crop, early } = this.query;
    const share = hit.proof?.indexed_share ?? "";
    return `${image} ${crop} ${hit.verdict} ${hit.distance} ${share} ${early.has(hit.key)}`;
  }
}

/** Say the size, the kind and the weight of a picture. */
export function factsOf(file) {
  return `${pixels(file.width, file.height)} · ${file.format} · ${bytes(file.bytes)}`;
}

function sectionsOf(hits) {
  return VERDICTS.map((key) => {
    const items = hits.filter((hit) => hit.verdict === key);
    return { key, items };
  }).filter(({ items }) => items.length);
}

/** Name what distinguishes a hit: [class, live text] each. */
function chipsOf(hit, query) {
  const chips = [];
  if (turnWords(hit)) chips.push(["turn", () => turnWords(hit)]);
  const share = hit.proof?.indexed_share ?? 1;
  if (share < WHOLE) chips.push(["part", () => t("hit.part", { share: percent(share) })]);
  else if (hit.proof && placeWords(hit.proof)) chips.push(["part", () => placeWords(hit.proof)]);
  if (hit.verdict === "copy" && hit.distance > 0) {
    chips.push(["bits", () => t("hit.bits", { count: hit.distance })]);
  }
  const ratio = (hit.width * hit.height) / (query.width * query.height);
  if (share >= WHOLE && ratio > 1.05) chips.push(["larger", say("hit.larger")]);
  if (share >= WHOLE && ratio < 0.95) chips.push(["smaller", say("hit.smaller")]);
  return chips;
}

function labelOf(hit) {
  const words = [t(`verdict.${hit.verdict}`), nameOf(hit.path), factsOf(hit), turnWords(hit)];
  if (hit.proof) words.push(placeWords(hit.proof));
  return words.filter(Boolean).join(t("list.comma"));
}

function bestOf(query) {
  const hits = query.answer?.hits ?? [];
  return VERDICTS.find((verdict) => hits.some((hit) => hit.verdict === verdict)) ?? "none";
}

function toneOf(query) {
  if (query.error && !query.answer) return "bad";
  return query.answer && query.state !== "searching" ? bestOf(query) : "waiting";
}

function headlineOf(query) {
  const { answer, error, state } = query;
  if (error && !answer) return t("answer.failed");
  if (!answer || state === "searching") return t("answer.searching");
  const best = bestOf(query);
  if (best !== "none") return t(`answer.${best}`, { count: answer.total });
  if (state === "closer") return t("answer.none_yet");
  if (answer.freshness.indexed === 0 && answer.freshness.complete) return t("answer.empty");
  return t(noneOf(query));
}

/** Name the sentence about nothing: "you do not have it" is for who looked for everything. */
function noneOf({ answer, wished, looksCloser }) {
  const { complete, cut, described, describable } = answer.freshness;
  if (!complete || cut) return "answer.none_so_far";
  // A flat picture, too, is only looked for as it is.
  if (wished.mode === "original" || answer.query.flat) return "answer.none_original";
  if (!looksCloser) return "answer.none_within";
  return described >= describable ? "answer.none" : "answer.none_so_far";
}

/** Say which wishes kept something from being found. */
function wishNotes({ wished }) {
  if (wished.mode === "original") return [say("note.original")];
  if (wished.distance === null) return [];
  return [say("note.distance", { count: wished.distance })];
}

function spokenOf(query) {
  const found = t("results.found", { count: query.answer.total });
  const more = query.state === "closer" && query.looksCloser ? t("results.closer") : "";
  return `${headlineOf(query)} ${found} ${more}`;
}
