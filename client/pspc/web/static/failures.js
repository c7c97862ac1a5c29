// Files that could not be indexed, and why: any number of them, page by page.

import * as api from "./api.js";
import { fill, h } from "./dom.js";
import { say, t } from "./i18n.js";
import { errorText } from "./notices.js";
import { pathLabel, visible } from "./paths.js";
import { VirtualList } from "./virtual_list.js";
import { reasonWords } from "./words.js";

/** In rem. */
const ROW = 4;

const ENOUGH = 30;

export class FailureList {
  /** Make the list; it is loaded when it is opened. */
  constructor() {
    this.found = [];
    this.next = undefined;
    this.round = 0;
    this.summary = h("summary", {}, say("failures.open"));
    this.line = h("p", { class: "hint", role: "status" });
    this.pictures = h("input", { type: "checkbox", checked: true, onchange: () => this.draw() });
    this.host = h("div", { class: "failure-list", role: "list", "aria-label": say("failures") });
    this.details = h("details", { ontoggle: () => this.details.open && this.begin() }, this.summary,
      h("label", { class: "choice" }, this.pictures, h("span", {}, say("failures.pictures"))),
      this.host, this.line);
    this.element = h("div", {}, this.details);
    this.list = new VirtualList(this.host, {
      draw: ({ failure, number }) => this.drawRow(failure, number),
      keyOf: ({ failure }) => failure.path_base64 ?? failure.path,
      stampOf: ({ number }) => String(number),
      settled: () => this.settle(),
    });
  }

  /** Show how many there are; when that changes, the list is loaded anew. */
  show({ failed, not_pictures: others }) {
    fill(this.summary, () => t("failures.count", { count: failed - others, others }));
    const isOther = this.count !== undefined && this.count !== failed;
    this.count = failed;
    if (isOther && this.details.open) this.begin();
  }

  async begin() {
    this.found = [];
    this.next = undefined;
    this.error = null;
    this.isBusy = false;
    this.round += 1;
    await this.more();
  }

  async more() {
    if (this.isBusy || this.next === null || this.error) return;
    const { round } = this;
    this.isBusy = true;
    try {
      const page = await api.failures(this.next);
      // A page of the list before has no place in this one.
      if (round !== this.round) return;
      this.next = page.next ?? null;
      this.found.push(...page.failures);
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      if (round !== this.round) return;
      this.error = error;
    }
    this.isBusy = false;
    this.draw();
    // A page of files that are no pictures shows nothing.
    if (this.list.rows.length < ENOUGH) await this.more();
  }

  draw() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const shown = this.pictures.checked
      ? this.found.filter(({ reason }) => reason !== "not_a_picture") : this.found;
    this.list.setRows(shown.map((failure, number) => ({ failure, number, height: ROW * rem })));
    if (this.error) fill(this.line, errorText(this.error));
    else fill(this.line, () => (shown.length || this.next !== null ? "" : t("failures.none")));
  }

  settle() {
    const last = Math.max(-1, ...[...this.list.shown.values()].map(({ index }) => index));
    if (last >= this.list.rows.length - 5) this.more();
  }

  drawRow(failure, number) {
    return h("div", { class: `failure ${failure.disposition}`, role: "listitem",
      "aria-posinset": number + 1, "aria-setsize": this.next === null ? this.list.rows.length : -1 },
      pathLabel(failure.path),
      h("span", { class: "failure-why" }, h("strong", {}, () => reasonWords(failure.reason)),
        h("small", { title: visible(failure.message) }, visible(failure.message))));
  }
}
