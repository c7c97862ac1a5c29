// How near is near enough: expected foreign hits by distance, as a chart, and a limit of one's own.

import { fill, h, svg } from "./dom.js";
import { rough, say, t } from "./i18n.js";
import { notifyError } from "./notices.js";
import { onWishes, wishes } from "./queries.js";
import { expectedWords } from "./words.js";
import { loadDistances } from "./wish_form.js";

/** Bits that are drawn; beyond, everything resembles everything. */
const SHOWN = 128;

/** Foreign hits at the foot of the chart, which grows by tens. */
const LEAST = 1e-4;

const HEIGHT = 100;

export class LimitChart {
  /** Make the chart, without bars yet. */
  constructor() {
    this.words = h("p", { class: "limit-words", role: "status" });
    this.chart = svg("svg", { class: "limit-chart", viewBox: `0 0 ${SHOWN} ${HEIGHT}`, role: "img",
      preserveAspectRatio: "none", "aria-label": say("limit.chart") });
    this.axis = h("div", { class: "limit-axis", "aria-hidden": "true" });
    this.range = h("input", { type: "range", min: "0", max: String(SHOWN), step: "1",
      "aria-label": say("limit.bits"), oninput: () => this.show() });
    this.use = h("button", { type: "button", class: "button small", onclick: () => this.take() },
      say("limit.use"));
    this.reset = h("button", { type: "button", class: "button quiet small", onclick: () => this.drop() },
      say("limit.reset"));
    this.plot = h("div", { class: "limit-plot empty" }, this.chart, this.range, this.axis);
    this.element = h("div", { class: "limit-card" }, h("p", { class: "hint" }, say("limit.how")),
      this.plot, this.words,
      h("p", {}, this.use, " ", this.reset));
    this.threshold = null;
    this.expected = [];
    // The search has a control of its own for it.
    onWishes(() => this.follow());
  }

  /** Show the daemon's own limit. */
  showThreshold({ threshold }) {
    if (this.threshold === threshold) return;
    this.threshold = threshold;
    this.follow();
  }

  follow() {
    if (this.threshold === null) return;
    this.range.value = wishes.distance ?? this.threshold;
    this.show();
  }

  /** Load what is expected at each distance. */
  async load() {
    try {
      const { expected_by_distance: expected } = await loadDistances();
      this.expected = expected;
      this.draw();
    } catch (error) {
      notifyError(error);
    }
  }

  draw() {
    const most = Math.max(1, this.expected[SHOWN] ?? 1);
    const bars = this.expected.slice(0, SHOWN + 1).map((hits, bits) => {
      const height = HEIGHT * levelOf(hits, most);
      return svg("rect", { x: bits, y: HEIGHT - height, width: 0.8, height, "data-bits": bits });
    });
    this.line = svg("line", { y1: 0, y2: HEIGHT, class: "limit-line" });
    fill(this.chart, bars, this.line);
    this.plot.classList.toggle("empty", !this.expected.length);
    const tens = [];
    for (let hits = LEAST; hits <= most; hits *= 10) tens.push(hits);
    fill(this.axis, tens.filter((_, index) => index % Math.ceil(tens.length / 5) === 0).map((hits) => {
      const mark = h("span", {}, () => rough(hits));
      mark.style.bottom = `${100 * levelOf(hits, most)}%`;
      return mark;
    }));
    this.show();
  }

  show() {
    const bits = Number(this.range.value);
    const hits = this.expected[bits];
    const values = { count: bits, of: 256 };
    fill(this.words, () => (hits === undefined ? t("limit.unknown", values)
      : t("wish.limit.expected", { ...values, expected: expectedWords(hits) })),
    () => (bits === this.threshold ? ` ${t("limit.own")}` : ""));
    for (const bar of this.chart.querySelectorAll("rect")) {
      bar.classList.toggle("within", Number(bar.dataset.bits) <= bits);
    }
    this.line?.setAttribute("x1", bits + 0.5);
    this.line?.setAttribute("x2", bits + 0.5);
    this.use.disabled = bits === (wishes.distance ?? this.threshold);
    this.reset.hidden = wishes.distance === null;
  }

  take() {
    const bits = Number(this.range.value);
    wishes.change({ distance: bits === this.threshold ? null : bits });
  }

  drop() {
    wishes.change({ distance: null });
  }
}

function levelOf(hits, most) {
  if (hits <= LEAST) return 0;
  return Math.log10(hits / LEAST) / Math.log10(Math.max(most, LEAST * 10) / LEAST);
}
