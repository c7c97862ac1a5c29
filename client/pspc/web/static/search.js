// The view that asks "do I have this?": the query on one side, what was found on the other.

import { CropBox } from "./crop.js";
import { openDetails, showInFolder } from "./details.js";
import { fill, h } from "./dom.js";
import { on } from "./events.js";
import { intakeForm, startIntake } from "./intake.js";
import { number, pixels, say, t } from "./i18n.js";
import { icon } from "./icons.js";
import { addKeys } from "./keys.js";
import { notify } from "./notices.js";
import { copyPath, nameOf, visible } from "./paths.js";
import { MOST_KEPT, Query, onQuery, queryOf, recentQueries } from "./queries.js";
import { Results, factsOf } from "./results.js";
import { address, go } from "./router.js";
import { setSeries } from "./series.js";
import { wishForm } from "./wish_form.js";

export class SearchView {
  /** Make the view; it is empty until there is a query. */
  constructor() {
    this.query = null;
    this.results = new Results({
      open: (hit) => openDetails(hit, { compare: () => this.compare(hit), search: searchWith }),
      compare: (hit) => this.compare(hit),
      search: searchWith,
    });
    this.picture = h("img", { class: "query-picture", alt: say("query.picture"), draggable: "false" });
    this.frame = h("div", { class: "query-frame" }, this.picture);
    this.picture.addEventListener("load", () => this.frame.classList.add("shown"));
    this.picture.addEventListener("error", () => this.frame.classList.remove("shown"));
    this.crop = new CropBox(this.frame, (rectangle) => this.onCrop(rectangle));
    this.facts = h("p", { class: "query-facts" });
    this.cropBar = h("div", { class: "crop-bar" });
    this.recent = h("div", { class: "recent" });
    this.library = h("p", { class: "library-line" });
    this.wishes = wishForm(() => this.query?.again());
    this.panel = h("aside", { class: "query-panel", "aria-label": say("query") },
      h("div", { class: "query-shown" }, this.frame, this.facts, this.cropBar),
      h("div", { class: "welcome" },
        h("h1", { tabindex: "-1" }, say("welcome")), h("p", {}, say("welcome.how"))),
      intakeForm(), this.recent, this.wishes, this.library);
    this.element = h("div", { class: "search empty" }, this.panel, this.results.element);
    this.begin();
  }

  begin() {
    startIntake((found) => this.take(found));
    onQuery((query) => {
      if (query === this.query) this.refresh();
      this.showRecent();
    });
    on("daemon", ({ state }) => {
      if (state === "up" && this.query?.error?.code === "daemon") this.query.again();
    });
    on("progress", ({ indexed }) => {
      fill(this.library, () => t("welcome.library", { count: indexed }));
    });
    const act = (does) => ({ does: () => (this.results.focused ? does(this.results.focused) : false) });
    const isShown = () => this.element.offsetParent !== null;
    addKeys("keys.results", isShown, [
      { keys: ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"], text: "keys.move" },
      { keys: ["Enter"], text: "keys.details" },
      { keys: ["c"], text: "hit.compare", ...act((hit) => this.compare(hit)) },
      { keys: ["s"], text: "hit.search", ...act(searchWith) },
      { keys: ["y"], text: "hit.copy", ...act(copyPath) },
      { keys: ["o"], text: "hit.show", ...act((hit) => showInFolder(hit.image, hit.key)) },
      { keys: ["j"], text: "keys.to_results", does: () => this.results.grid.focusItem(0) },
    ]);
    addKeys("keys.query", isShown, [
      { keys: ["/"], text: "keys.url", does: () => this.panel.querySelector(".url-form input").focus() },
      { keys: ["p"], text: "crop.draw", does: () => (this.query?.answer ? this.crop.propose() : false) },
      { keys: ["Enter"], text: "crop.search" },
      { keys: ["Escape"], text: "crop.drop" },
    ]);
    this.crop.box.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.searchPart();
    });
  }

  /** Show a place: the query that it names, made anew if it has to be. */
  show({ images: [image], values }) {
    const crop = partOf(values.get("crop"));
    if (!image) {
      // One that was only now dropped on another view has no number yet.
      if (!this.query?.isBusy || this.query.image) this.become(null);
      return;
    }
    const query = queryOf(image) ?? new Query({ kept: image }, "");
    const isOther = query.wished === null || String(query.crop ?? "") !== String(crop ?? "");
    // It is shown at once: what is dropped meanwhile takes its place, and keeps it.
    this.become(query);
    if (!isOther) return;
    query.search(crop);
    if (query.whole) this.crop.begin(query.whole, crop);
  }

  /** Search with what came in; of several pictures one after the other, the first is shown. */
  async take({ blobs = [], url = "" }) {
    const taken = [...blobs].slice(0, MOST_KEPT);
    if (taken.length < blobs.length) {
      notify(() => t("intake.many", { count: taken.length, left: blobs.length - taken.length }), { kind: "error" });
    }
    const made = url
      ? [new Query({ url }, url)]
      : taken.reverse().map((blob) => new Query({ blob }, blob.name ?? "")).reverse();
    this.become(made[0]);
    if (!location.hash.startsWith("#/search")) go(address("search"));
    scrollTo(0, 0);
    for (const query of made) {
      // One may have been searched with by a click meanwhile.
      if (query.wished === null) await query.search();
    }
  }

  become(query) {
    this.query = query;
    this.element.classList.toggle("empty", query === null);
    if (query) this.refresh();
    this.showRecent();
    // An answer to other wishes would pass for one to these.
    if (query?.isOutdated) query.search();
  }

  refresh() {
    const { query } = this;
    if (this.pictured !== query.address) {
      this.pictured = query.address;
      this.frame.classList.remove("shown");
      this.picture.hidden = !query.address;
      if (query.address) this.picture.src = query.address;
    }
    fill(this.facts, h("bdi", { class: "path-name" }, nameOf(query.name)),
      h("span", {}, () => wholeFacts(query)));
    if (query.answer && this.sized !== query) {
      this.sized = query;
      this.frame.style.setProperty("--ratio", query.whole.width / query.whole.height);
      this.crop.begin(query.whole, query.crop);
    } else if (!query.answer) {
      this.sized = null;
    }
    this.frame.classList.toggle("ready", Boolean(query.answer));
    this.showCropBar();
    this.results.show(query);
    if (query.image && query === this.query) this.showPlace();
  }

  /** Return the address that leads back to what is shown. */
  get address() {
    if (!this.query?.image) return address("search");
    return address("search", [this.query.image], { crop: this.query.crop?.join(",") });
  }

  /** Have the address name the query, so that going back and loading again lead to it. */
  showPlace() {
    const place = this.address;
    const isHere = location.hash.startsWith("#/search");
    const isFirst = location.hash === "" || location.hash === "#/search";
    if (isHere) go(place, isFirst || location.hash.includes(this.query.image));
  }

  onCrop(rectangle) {
    this.showCropBar();
    if (!rectangle && this.query?.crop) this.query.search(null);
  }

  showCropBar() {
    const { query, crop } = this;
    this.cropBar.hidden = !query?.answer;
    const isDrawn = crop.rectangle !== null;
    // Rebuilding would take the focus from the numbers.
    const state = `${isDrawn} ${String(query?.crop ?? "")}`;
    if (this.cropState === state) return;
    this.cropState = state;
    const buttons = isDrawn
      ? [this.button("primary", "search", "crop.search", () => this.searchPart()),
        this.button("", "close", "crop.drop", () => crop.set(null))]
      : [this.button("", "crop", "crop.draw", () => crop.propose())];
    fill(this.cropBar, isDrawn ? crop.numbers : h("p", { class: "hint" }, say("crop.hint")),
      h("div", { class: "crop-buttons" }, buttons));
  }

  button(kind, name, text, onclick) {
    return h("button", { type: "button", class: `button small ${kind}`, onclick }, icon(name), say(text));
  }

  searchPart() {
    if (this.crop.rectangle) this.query.search(this.crop.rectangle);
  }

  compare(hit) {
    const hits = this.query.answer.hits;
    const place = (each) => address("compare", [this.query.image, each.image],
      { turn: each.proof || each.turn === "none" ? "" : each.turn });
    setSeries(hits.map(place));
    go(place(hit));
  }

  /** Show the last queries, when there is more than one. */
  showRecent() {
    const queries = recentQueries();
    this.recent.hidden = queries.length < 2;
    const stamps = queries.map((each) => [each.icon, each.state, each.answer?.total, each === this.query]);
    if (this.recentStamp === stamps.join()) return;
    this.recentStamp = stamps.join();
    fill(this.recent, h("h2", {}, say("query.recent")),
      h("ul", {}, queries.map((query) => h("li", {}, this.recentButton(query)))));
  }

  recentButton(query) {
    const found = query.answer?.total ?? 0;
    const words = () => {
      if (query.state === "failed") return "!";
      return query.answer ? number(found) : "…";
    };
    const label = () => t("query.recent_one", { name: visible(query.name), count: found });
    return h("button", { type: "button", class: "recent-query", title: label, "aria-label": label,
      "aria-current": query === this.query ? "true" : null, onclick: () => this.choose(query) },
      query.icon ? h("img", { src: query.icon, alt: "", draggable: "false" }) : icon("link"),
      h("span", { class: `badge ${found ? "found" : ""}` }, words));
  }

  choose(query) {
    if (query.image) go(address("search", [query.image], { crop: query.crop?.join(",") }));
    this.become(query);
  }
}

/** Search with a picture of the index. */
function searchWith(hit) {
  const query = queryOf(hit.image) ?? new Query({ indexed: hit.image }, nameOf(hit.path));
  if (query.state === "waiting") query.search();
  go(address("search", [hit.image]));
  scrollTo(0, 0);
}

/** Say what is known of all of the picture, whatever part of it is searched with. */
function wholeFacts({ facts, whole }) {
  if (facts) return factsOf(facts);
  return whole ? pixels(whole.width, whole.height) : "";
}

function partOf(text) {
  const numbers = (text ?? "").split(",").map(Number);
  return numbers.length === 4 && numbers.every(Number.isInteger) ? numbers : null;
}
