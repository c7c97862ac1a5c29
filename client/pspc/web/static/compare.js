// The view that lays two pictures beside and over each other, and says what joins or parts them.

import * as api from "./api.js";
import { fill, h } from "./dom.js";
import { chain, inverse, scaling, turnMap } from "./geometry.js";
import { number, say, t } from "./i18n.js";
import { icon } from "./icons.js";
import { addKeys } from "./keys.js";
import { errorText } from "./notices.js";
import { address, back, replace } from "./router.js";
import { neighbours } from "./series.js";
import { loadSide } from "./sides.js";
import { MODES, Stage } from "./stage.js";
import { factTable, reasonList } from "./compare_facts.js";
import { WHOLE, placeWords, turnWords } from "./words.js";

/** The daemon's word for a turn, in the reason that hashes give. */
const TURN = /after (rotate \d+|flip left right|flip top bottom|transpose|transverse)/;

const GAINS = [1, 2, 4, 8, 16];

export class CompareView {
  /** Make the view; pictures come with the place. */
  constructor() {
    this.stage = new Stage();
    this.abort = new AbortController();
    this.heading = h("h1", { class: "compare-title", tabindex: "-1" }, say("compare"));
    this.bar = h("div", { class: "compare-bar", role: "toolbar", "aria-label": say("compare") });
    this.series = h("div", { class: "compare-series" });
    this.verdict = h("div", { class: "compare-verdict" });
    this.facts = h("div", {});
    this.element = h("div", { class: "compare" },
      h("div", { class: "compare-top" }, this.button("back", "compare.back", () => this.back()),
        this.heading, this.series),
      this.bar, this.stage.element, this.stage.sharp.notice,
      h("div", { class: "compare-below" }, this.verdict, this.facts));
    this.sides = null;
    this.proof = null;
    this.addKeys();
  }

  /** Show two pictures. */
  async show({ images, values }) {
    this.abort.abort();
    this.abort = new AbortController();
    const { signal } = this.abort;
    this.images = images;
    this.turn = values.get("turn") ?? "";
    // Nothing of another pair shall pass for this one.
    this.sides = null;
    this.proof = null;
    this.isTurned = false;
    this.stage.clear();
    this.redrawBar();
    this.showSeries();
    fill(this.verdict, h("p", { class: "busy-line" }, h("span", { class: "spinner" }), say("compare.busy")));
    fill(this.facts);
    try {
      const asked = api.compare(...images, signal);
      asked.catch(() => null);
      const sides = await Promise.all(images.map((image) => loadSide(image, signal)));
      if (signal.aborted) return;
      this.begin(sides);
      const why = await asked;
      if (!signal.aborted) this.tell(why);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof api.ApiError)) throw error;
      fill(this.verdict, h("p", { class: "error", role: "alert" }, icon("warning"), errorText(error)));
    }
  }

  /** Stop what goes on by itself. */
  leave() {
    this.stage.play(false);
    this.stage.sharp.begin(null);
    this.abort.abort();
  }

  /** Show the pictures, of which nothing is told yet. */
  begin(sides) {
    this.sides = sides.map((side, index) => ({
      ...side, alt: say("compare.alt", { letter: "AB"[index], name: side.name }),
    }));
    this.turned = this.turn || "none";
    this.map = turnMap(this.turned);
    this.stage.begin(this.sides, this.across());
    this.redrawBar();
    fill(this.facts, factTable(...this.sides));
  }

  /** Show what joins or parts them, and lay them on each other by it. */
  tell(why) {
    this.proof = why.proof ?? null;
    const told = why.reasons.map(({ text }) => TURN.exec(text)?.[1]).find(Boolean);
    // What somebody turned by hand meanwhile stays so, but for what is proven.
    if (this.proof || !this.isTurned) {
      this.turned = this.turn || (told ?? "none").replaceAll(" ", "_");
      this.map = turnMap(this.turned);
    }
    const marks = [null, null];
    if (this.proof?.indexed_share < WHOLE) marks[1] = this.proof.quadrilateral;
    if (this.proof?.query_share < WHOLE) marks[0] = this.proof.query_quadrilateral;
    // A part is shown beside the place that it has in the whole one.
    if (marks[0] || marks[1]) this.stage.aligned = false;
    this.stage.lay(this.across(), marks);
    this.redrawBar();
    fill(this.verdict, h("div", { class: "compare-why" },
      h("h2", {}, () => t(`compare.verdict.${why.verdict || "none"}`)),
      h("p", {}, () => this.lieWords()), reasonList(why.reasons)));
  }

  back() {
    back(address("search"));
  }

  /** Say how the second picture lies on the first. */
  lieWords() {
    const turn = turnWords({ proof: this.proof, turn: this.turned });
    const place = this.proof ? placeWords(this.proof) : "";
    return [turn && t("compare.turned", { turn }), place && t("detail.place", { place })]
      .filter(Boolean).join(t("list.stop"));
  }

  /** Return what takes pixels of the second picture to those of the first. */
  across() {
    const [first, second] = this.sides;
    const proven = this.proof && inverse(this.proof.transform);
    if (proven) return proven;
    const [one, other] = [scaling(first.width, first.height), scaling(1 / second.width, 1 / second.height)];
    return chain(one, inverse(this.map), other);
  }

  showBar() {
    const { stage } = this;
    const modes = MODES.map((mode, index) => h("button", {
      type: "button", class: "button", "aria-pressed": String(stage.mode === mode), "data-mode": mode,
      title: () => `${t(`compare.${mode}`)} (${index + 1})`, onclick: () => this.setMode(mode),
    }, say(`compare.${mode}`)));
    fill(this.bar, h("div", { class: "segments", role: "group", "aria-label": say("compare.mode") }, modes),
      this.modeTools(),
      h("div", { class: "tools" },
        this.button("add", "compare.in", () => stage.zoomBy(1.5)),
        this.button("stay", "compare.out", () => stage.zoomBy(1 / 1.5)),
        this.button("picture", "compare.fit", () => stage.fit()),
        this.button("swap", "compare.swap", () => this.swap()),
        this.proof ? null : [
          this.button("turn", "compare.turn", () => this.change("rotate_90")),
          this.button("mirror", "compare.mirror", () => this.change("flip_left_right"))]));
  }

  /** Make the controls that only one way of comparing has. */
  modeTools() {
    const { stage } = this;
    if (stage.mode === "beside") {
      return this.toggle("align", "compare.align", stage.aligned, () => this.align());
    }
    if (stage.mode === "flicker") {
      return [h("button", { type: "button", class: "button", onclick: () => stage.flick() }, say("compare.flick")),
        this.toggle(stage.isPlaying ? "pause" : "play", "compare.play", stage.isPlaying, () => this.play())];
    }
    if (stage.mode === "difference") {
      return h("label", { class: "gain" }, say("compare.gain"),
        h("select", { class: "field", onchange: ({ target }) => this.setGain(Number(target.value)) },
          GAINS.map((gain) => h("option", { value: gain, selected: gain === stage.gain },
            () => `× ${number(gain)}`))));
    }
    return null;
  }

  button(name, text, onclick) {
    return h("button", { type: "button", class: "button square", title: say(text),
      "aria-label": say(text), onclick }, icon(name));
  }

  toggle(name, text, isOn, onclick) {
    return h("button", { type: "button", class: "button", "aria-pressed": String(Boolean(isOn)),
      "aria-label": say(text), title: say(text), onclick }, icon(name), h("span", {}, say(text)));
  }

  setMode(mode) {
    this.stage.setMode(mode);
    this.redrawBar(`[data-mode="${mode}"]`);
  }

  align() {
    this.stage.aligned = !this.stage.aligned;
    this.stage.draw();
    this.redrawBar();
  }

  play() {
    this.stage.play(!this.stage.isPlaying);
    this.redrawBar();
  }

  setGain(gain) {
    this.stage.gain = gain;
    this.stage.draw();
  }

  /** Draw the bar anew and leave the focus where it was, or where it was wanted. */
  redrawBar(wanted = null) {
    const buttons = [...this.bar.querySelectorAll("button, select")];
    const index = buttons.indexOf(document.activeElement);
    this.showBar();
    if (index < 0) return;
    const now = [...this.bar.querySelectorAll("button, select")];
    (wanted ? this.bar.querySelector(wanted) : now[index])?.focus();
  }

  swap() {
    const images = [...this.images].reverse();
    replace(address("compare", images, { turn: this.turn && inverseTurn(this.turn) }));
  }

  /** Turn or mirror the second picture, where no proof says how it lies. */
  change(turn) {
    if (!this.sides || this.proof) return;
    this.isTurned = true;
    this.map = chain(turnMap(turn), this.map);
    this.stage.across = this.across();
    this.stage.aligned = true;
    this.stage.draw();
    this.redrawBar();
  }

  showSeries() {
    const place = neighbours(location.hash);
    const buttons = () => [...this.series.querySelectorAll("button")];
    const focused = buttons().indexOf(document.activeElement);
    fill(this.series);
    if (!place || place.count < 2) return;
    const step = (name, text, to) => {
      const button = this.button(name, text, () => replace(to));
      button.disabled = to === null;
      return button;
    };
    fill(this.series, step("left", "compare.before", place.before),
      h("span", {}, () => t("compare.of", { index: place.index + 1, count: place.count })),
      step("right", "compare.after", place.after));
    if (focused < 0) return;
    const now = buttons();
    (now[focused].disabled ? now.find(({ disabled }) => !disabled) : now[focused]).focus();
  }

  go(step) {
    const to = neighbours(location.hash)?.[step];
    if (!to) return false;
    replace(to);
    return true;
  }

  addKeys() {
    const { stage } = this;
    const isShown = () => this.element.offsetParent !== null;
    const pan = (x, y) => () => {
      if (stage.mode === "slider" && x) stage.divide(stage.divided - Math.sign(x) * 0.05);
      else stage.pan(x, y);
    };
    addKeys("keys.compare", isShown, [
      ...MODES.map((mode, index) => ({
        keys: [String(index + 1)], text: `compare.${mode}`, does: () => this.setMode(mode),
      })),
      { keys: [" "], text: "compare.flick", does: () => {
        if (stage.mode !== "flicker") this.setMode("flicker");
        stage.flick();
      } },
      { keys: ["p"], text: "compare.play", does: () => (stage.mode === "flicker" ? this.play() : false) },
      { keys: ["+", "="], text: "compare.in", does: () => stage.zoomBy(1.25) },
      { keys: ["-"], text: "compare.out", does: () => stage.zoomBy(0.8) },
      { keys: ["0"], text: "compare.fit", does: () => stage.fit() },
      { keys: ["9"], text: "compare.fit_both", does: () => stage.fit(true) },
      { keys: ["ArrowLeft"], text: "compare.move", does: pan(40, 0) },
      { keys: ["ArrowRight"], text: "compare.move", does: pan(-40, 0) },
      { keys: ["ArrowUp"], text: "compare.move", does: pan(0, 40) },
      { keys: ["ArrowDown"], text: "compare.move", does: pan(0, -40) },
      { keys: ["a"], text: "compare.align", does: () => (stage.mode === "beside" ? this.align() : false) },
      { keys: ["x"], text: "compare.swap", does: () => this.swap() },
      { keys: ["r"], text: "compare.turn", does: () => (this.proof ? false : this.change("rotate_90")) },
      { keys: ["m"], text: "compare.mirror",
        does: () => (this.proof ? false : this.change("flip_left_right")) },
      { keys: ["["], text: "compare.before", does: () => this.go("before") },
      { keys: ["]"], text: "compare.after", does: () => this.go("after") },
      { keys: ["Escape"], text: "compare.back", does: () => this.back() },
    ]);
  }
}

/** Return the turn that takes one back. */
function inverseTurn(turn) {
  const back = { rotate_90: "rotate_270", rotate_270: "rotate_90" };
  return back[turn] ?? turn;
}
