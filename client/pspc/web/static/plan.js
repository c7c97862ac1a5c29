// The plan as a person sees it before anything is done, while it is done, and after.

import { carryOut, takeBack } from "./acting.js";
import { ApiError } from "./api.js";
import { fill, h } from "./dom.js";
import { bytes, say, t } from "./i18n.js";
import { icon } from "./icons.js";
import { openDialog } from "./dialogs.js";
import { errorText, notify, speak } from "./notices.js";
import { folderOf, nameOf, visible } from "./paths.js";

/** Files that are listed by name; who wants to see more looks at the groups. */
const LISTED = 200;

export class PlanDialog {
  /** Take the groups, and whom to tell once files were moved. */
  constructor(groups, { moved }) {
    this.groups = groups;
    this.moved = moved;
    this.body = h("div", { class: "plan" });
    this.foot = h("div", { class: "plan-foot" });
    this.dialog = openDialog({ title: say("plan"), body: this.body, actions: [this.foot], kind: "wide" });
    this.review();
  }

  review(checked = null) {
    const { files, bytes: size, links } = this.groups.totals();
    const isWhole = this.groups.next === null;
    fill(this.body,
      h("p", { class: "plan-sum" }, () => t("plan.sum", { count: files, bytes: bytes(size) })),
      links ? h("p", {}, () => t("plan.links", { count: links })) : null,
      h("p", { class: "hint" }, say("plan.how")),
      isWhole ? null : h("p", { class: "notice-line" }, icon("info"),
        h("span", {}, () => t("plan.not_all", {
          count: this.groups.list.length, total: this.groups.page.total })),
        h("button", { type: "button", class: "button small", onclick: () => this.loadAll() },
          say("plan.load_all"))),
      checked ? this.outcome(checked, true) : null, this.lines());
    fill(this.foot,
      h("button", { type: "button", class: "button", onclick: () => this.run(true) }, say("plan.check")),
      h("button", { type: "button", class: "button primary", disabled: files === 0,
        onclick: () => this.run(false) }, icon("trash"),
      () => t("plan.apply", { count: files, bytes: bytes(size) })));
  }

  async loadAll() {
    const shown = this.waiting(() => t("plan.loading", { count: this.groups.list.length }));
    const before = this.groups.changed;
    this.groups.changed = (isOther) => {
      before(isOther);
      shown.refresh();
    };
    await this.groups.all();
    this.groups.changed = before;
    this.review();
  }

  async run(isDry) {
    const plan = this.groups.plan();
    const bar = h("progress", { max: 1, value: 0 });
    const shown = this.waiting(say(isDry ? "plan.checking" : "plan.applying"), bar);
    const progress = ({ done, total, failed }) => {
      bar.value = total ? (done + failed) / total : 1;
      shown.say(() => t("plan.progress", { done: done + failed, total }));
    };
    try {
      const result = await carryOut(plan, { isDry, progress });
      if (isDry) this.review(result);
      else this.finish(plan, result);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.review();
      this.body.prepend(h("p", { class: "error", role: "alert" }, icon("warning"), errorText(error)));
    }
  }

  finish(plan, result) {
    this.moved(plan, result);
    const words = () => t("plan.done", { count: result.done, bytes: bytes(result.bytes) });
    speak(words());
    const undo = result.acts
      ? { text: say("undo"), does: () => undoActs(result.acts, this.moved) } : null;
    fill(this.body, this.outcome(result, false));
    const close = () => this.dialog.close();
    fill(this.foot, undo ? h("button", { type: "button", class: "button", onclick: () => {
      close();
      undo.does();
    } }, icon("undo"), undo.text) : null,
    h("button", { type: "button", class: "button primary", onclick: close }, say("close")));
    this.foot.querySelector("button:last-child").focus();
    // Who closed the dialog meanwhile hears of it all the same.
    if (!this.dialog.open) notify(words, { action: undo });
  }

  outcome({ done, bytes: size, failed, failures, message }, isDry) {
    const key = isDry ? "plan.could" : "plan.done";
    return h("div", { class: "outcome" },
      h("p", { class: failures ? "" : "good" }, icon(failures ? "info" : "keep"),
        h("span", {}, () => t(key, { count: done, bytes: bytes(size) }))),
      message ? h("p", { class: "error" }, icon("warning"), h("span", {}, visible(message))) : null,
      failures ? h("div", {},
        h("p", { class: "error" }, icon("warning"),
          h("span", {}, () => t("plan.failed", { count: failures }))),
        h("ul", { class: "failed-list" }, failed.slice(0, LISTED).map(({ path, message }) =>
          h("li", {}, h("bdi", { class: "path-name" }, nameOf(path)), h("span", {}, visible(message)))))) : null);
  }

  waiting(text, bar = h("progress", {})) {
    const words = h("p", { class: "plan-sum", role: "status" }, text);
    fill(this.body, words, bar);
    fill(this.foot);
    this.dialog.querySelector("h2").focus();
    return {
      say: (other) => fill(words, other),
      refresh: () => fill(words, text),
    };
  }

  lines() {
    const lines = [];
    let left = 0;
    for (const group of this.groups.list) {
      if (!this.groups.takesPart(group)) continue;
      for (const file of group.files.filter((each) => this.groups.goes(each))) {
        if (lines.length < LISTED) lines.push(this.line(group, file));
        else left += 1;
      }
    }
    return h("div", { class: "plan-lines" }, h("ul", { tabindex: "0", "aria-label": say("plan.files") }, lines),
      left ? h("p", { class: "hint" }, () => t("plan.more", { count: left })) : null);
  }

  line(group, file) {
    const verb = this.groups.doOf(group, file);
    return h("li", {}, icon(verb === "link" ? "link" : "trash"),
      h("bdi", { class: "path-name" }, nameOf(file.path)),
      h("bdi", { class: "path-folder" }, folderOf(file.path)),
      h("span", { class: "line-bytes" }, () => bytes(file.bytes)));
  }
}

/** Take back acts, and say how it went. */
export async function undoActs(acts, moved) {
  const shut = notify(say("undo.busy"), { stays: true });
  try {
    const { done, failed, failures, message } = await takeBack(acts);
    moved(null, { failed });
    if (done || !message) notify(() => t("undo.done", { count: done }));
    if (message) notify(visible(message), { kind: "error", stays: true });
    for (const { path, message } of failed.slice(0, 3)) {
      notify(`${nameOf(path)}: ${visible(message)}`, { kind: "error", stays: true });
    }
    if (failures > 3) notify(() => t("plan.failed", { count: failures }), { kind: "error" });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    notify(errorText(error), { kind: "error", stays: true });
  } finally {
    shut();
  }
}
