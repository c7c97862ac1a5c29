// How far indexing is: indexed against pending, how fast, and how long it will take.

import { fill, h } from "./dom.js";
import { duration, number, rough, say, t } from "./i18n.js";

export class ProgressCard {
  /** Make the card, without numbers yet. */
  constructor() {
    this.numbers = h("div", { class: "numbers" });
    this.bar = h("progress", { max: 1, value: 0, "aria-label": say("progress") });
    this.line = h("p", { class: "progress-line", role: "status" });
    this.element = h("section", { class: "card progress-card", "aria-label": say("progress") },
      this.numbers, this.bar, this.line);
  }

  /** Show the daemon's state. */
  show(status) {
    this.status = status;
    this.live(status);
  }

  /** Show what is told while it goes on. */
  live({ indexed, pending, failed, rate }) {
    const figures = [["indexed", indexed], ["pending", pending]];
    // What fails because it is no picture is no failure of anybody's.
    const others = this.status?.not_pictures;
    if (others !== undefined) figures.push(["failed", Math.max(0, failed - others)], ["others", others]);
    fill(this.numbers, figures.map(([name, count]) => h("div", { class: `number ${name}` },
      h("strong", {}, () => number(count)), h("span", {}, say(`progress.${name}`)))));
    const total = indexed + pending;
    this.bar.value = total ? indexed / total : 1;
    this.bar.classList.toggle("done", pending === 0);
    fill(this.line, () => this.words(pending, rate));
  }

  words(pending, rate) {
    const { roots = [], uncompared = 0, described = 0, describable = 0 } = this.status ?? {};
    if (this.status && !roots.length) return t("progress.empty");
    const paused = roots.filter(({ state }) => state === "paused");
    const waiting = paused.reduce((sum, root) => sum - root.pending, pending);
    if (waiting > 0 && rate > 0) {
      return t("progress.going", { rate: rough(rate), left: duration(waiting / rate) });
    }
    if (waiting > 0) return t("progress.waiting", { count: waiting });
    if (roots.some(({ state }) => state === "scanning")) return t("progress.scanning");
    if (described < describable) return t("progress.describing", { described, describable });
    if (uncompared) return t("duplicates.uncompared", { count: uncompared });
    if (paused.length) return t("progress.paused", { count: paused.length });
    return t("progress.done");
  }
}
