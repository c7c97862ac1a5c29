// The view of the index: its folders, how far it is, what failed, the model, and the limit.

import * as api from "./api.js";
import { FailureList } from "./failures.js";
import { fill, h } from "./dom.js";
import { on } from "./events.js";
import { bytes, moment, number, say, t } from "./i18n.js";
import { icon } from "./icons.js";
import { LimitChart } from "./limit_chart.js";
import { Models } from "./models.js";
import { errorText } from "./notices.js";
import { knowRoots, visible } from "./paths.js";
import { ProgressCard } from "./progress.js";
import { Roots } from "./roots.js";

/** Milliseconds between two looks at everything, while something goes on. */
const LOOK_EVERY = 3000;

export class LibraryView {
  /** Make the view; everything is asked for when it is shown. */
  constructor() {
    this.progress = new ProgressCard();
    this.roots = new Roots(() => this.load());
    this.models = new Models(() => this.load());
    this.limit = new LimitChart();
    this.failures = new FailureList();
    this.notices = h("ul", { class: "daemon-notices" });
    this.about = h("dl", { class: "about" });
    this.error = h("p", { class: "error", hidden: true, role: "alert" });
    this.element = h("div", { class: "library" },
      h("h1", { tabindex: "-1" }, say("library")), this.error, this.notices, this.progress.element,
      this.card("folders", "roots", this.roots.element),
      this.card("limit", "limit", this.limit.element),
      this.card("models", "models", this.models.element),
      this.card("about-card", "about", this.about),
      this.card("failures", "failures", this.failures.element));
    this.loaded = 0;
    this.round = 0;
    on("progress", (progress) => {
      this.progress.live(progress);
      if (Date.now() - this.loaded > LOOK_EVERY) this.loadSoon();
    });
    on("change", () => this.loadSoon());
    on("daemon", ({ state }) => {
      if (state === "up" && this.isShown()) this.show();
    });
  }

  /** Show what there is now. */
  async show() {
    await this.load();
    this.models.load();
    this.limit.load();
  }

  isShown() {
    return this.element.offsetParent !== null && !document.hidden;
  }

  card(name, title, body) {
    return h("section", { class: `card ${name}`, "aria-labelledby": `card-${name}` },
      h("h2", { id: `card-${name}` }, say(title)), body);
  }

  /** Load at most once in a while, however much is told. */
  loadSoon() {
    if (this.timer || !this.isShown()) return;
    this.timer = setTimeout(() => {
      this.timer = 0;
      if (this.isShown()) this.load();
    }, LOOK_EVERY);
  }

  async load() {
    this.loaded = Date.now();
    // An answer that was overtaken may be from before what somebody just did.
    this.round += 1;
    const { round } = this;
    let status;
    try {
      status = await api.status();
      if (round !== this.round) return;
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      if (round !== this.round) return;
      this.error.hidden = false;
      fill(this.error, icon("warning"), errorText(error));
      return;
    }
    this.error.hidden = true;
    knowRoots(status.roots);
    this.progress.show(status);
    this.roots.show(status.roots);
    this.models.showProgress(status);
    this.failures.show(status);
    this.limit.showThreshold(status);
    this.showNotices(status);
    this.showAbout(status);
    // Descriptors and comparisons are made without a word; while some are, look again.
    if (status.described < status.describable || status.uncompared) this.loadSoon();
  }

  showNotices({ problem, notices }) {
    const stamp = JSON.stringify([problem, notices]);
    if (stamp === this.noticeStamp) return;
    this.noticeStamp = stamp;
    const entry = (cause, cure, path) => h("li", {}, icon("warning"), h("div", {},
      h("strong", {}, visible(cause)), path ? [" ", h("bdi", {}, visible(path))] : null,
      cure ? h("p", {}, visible(cure)) : null));
    fill(this.notices, problem ? entry(problem, "", "") : null,
      notices.map(({ cause, cure, path }) => entry(cause, cure, path)));
  }

  showAbout(status) {
    const rows = [
      ["about.version", () => `pspd ${status.version}`],
      ["about.since", () => moment(status.since)],
      ["about.pictures", () => number(status.pictures)],
      ["about.store", () => bytes(status.store_bytes)],
      ["about.notifier", () => status.notifier],
      ["about.sandbox", () => status.sandbox || t("about.unknown")],
    ];
    fill(this.about, rows.map(([key, text]) => [h("dt", {}, say(key)), h("dd", {}, text)]));
  }
}
