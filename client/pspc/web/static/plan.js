// The plan as a person sees it before anything is done, while it is done, and after.
//
// What is carried out is what was shown: groups that come or change meanwhile are none of it.

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

/** The sentences about what was moved, what was linked, and what was one of both. */
const DONE = ["plan.done", "plan.done_links", "plan.done_some"];
const COULD = ["plan.could", "plan.could_links", "plan.could_some"];

export class PlanDialog {
  /** Take the groups, whom to tell once files were moved, and what takes acts back by their numbers. */
  constructor(groups, { moved, undo }) {
    this.groups = groups;
    this.moved = moved;
    this.undo = undo;
    this.body = h("div", { class: "plan" });
    this.foot = h("div", { class: "plan-foot" });
    this.dialog = openDialog({ title: say("plan"), body: this.body, actions: [this.foot], kind: "wide" });
    this.review();
  }

  review(checked = null) {
    // After a check it is what was checked.
    if (!checked) {
      this.plan = this.groups.plan();
      this.sums = this.groups.totals();
    }
    const { files, trash, link, bare } = this.sums;
    const isWhole = this.groups.next === null;
    fill(this.body,
      trash.count ? h("p", { class: "plan-sum" }, () => t("plan.sum", worded(trash))) : null,
      link.count ? h("p", { class: "plan-sum" }, () => t("plan.links", worded(link))) : null,
      h("p", { class: "hint" }, say("plan.how")),
      bare ? h("p", { class: "error" }, icon("warning"),
        h("span", {}, () => t("plan.bare", { count: bare }))) : null,
      isWhole ? null : h("p", { class: "notice-line" }, icon("info"),
        h("span", {}, () => this.partWords()),
        h("button", { type: "button", class: "button small", onclick: () => this.loadAll() },
          say("plan.load_all"))),
      checked ? this.outcome(checked, true) : null, this.lines());
    fill(this.foot,
      h("button", { type: "button", class: "button", disabled: files === 0,
        onclick: () => this.run(true) }, say("plan.check")),
      h("button", { type: "button", class: "button primary apply", disabled: files === 0,
        onclick: () => this.run(false) }, icon(trash.count ? "trash" : "link"), () => applyWords(this.sums)));
  }

  partWords() {
    const { list, page, isCounted } = this.groups;
    // How many there are of one kind only, nobody has counted.
    if (!isCounted) return t("plan.not_all_listed", { count: list.length });
    return t("plan.not_all", { count: list.length, total: page?.total ?? list.length });
  }

  async loadAll() {
    const shown = this.waiting(() => t("plan.loading", { count: this.groups.list.length }));
    const before = this.groups.changed;
    this.groups.changed = (isOther) => {
      before(isOther);
      shown.refresh();
    };
    try {
      await this.groups.all();
    } finally {
      this.groups.changed = before;
    }
    this.review();
    const { error } = this.groups;
    if (error) this.body.prepend(h("p", { class: "error", role: "alert" }, icon("warning"), errorText(error)));
  }

  async run(isDry) {
    const { plan } = this;
    const bar = h("progress", { max: 1, value: 0 });
    const shown = this.waiting(say(isDry ? "plan.checking" : "plan.applying"), bar);
    const progress = ({ done, total, failed, isLost }) => {
      bar.value = total ? (done + failed) / total : 1;
      shown.say(() => [t("plan.progress", { done: done + failed, total }), isLost ? t("plan.unseen") : ""]
        .filter(Boolean).join(t("list.comma")));
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
    const words = () => resultWords(result, DONE);
    speak(words());
    const undo = result.acts.length ? { text: say("undo"), does: () => this.undo(result.acts) } : null;
    fill(this.body, this.outcome(result, false));
    const close = () => this.dialog.close();
    fill(this.foot, undo ? h("button", { type: "button", class: "button", onclick: () => {
      close();
      undo.does();
    } }, icon("undo"), undo.text) : null,
    h("button", { type: "button", class: "button primary", onclick: close }, say("close")));
    this.foot.querySelector("button:last-child").focus();
    // Who closed the dialog meanwhile hears of it all the same.
    if (this.dialog.open) return;
    notify(words, { action: undo });
    if (result.message) notify(visible(result.message), { kind: "error", stays: true });
    if (result.failures) notify(() => t("plan.failed_count", { count: result.failures }), { kind: "error" });
  }

  outcome(result, isDry) {
    const { failed, failures, message } = result;
    return h("div", { class: "outcome" },
      h("p", { class: failures || message ? "" : "good" }, icon(failures || message ? "info" : "keep"),
        h("span", {}, () => resultWords(result, isDry ? COULD : DONE))),
      message ? h("p", { class: "error" }, icon("warning"), h("span", {}, visible(message))) : null,
      failures ? h("div", {},
        h("p", { class: "error" }, icon("warning"),
          h("span", {}, () => t("plan.failed", { count: failures }))),
        h("ul", { class: "failed-list" }, failed.slice(0, LISTED).map(({ path, message: why }) =>
          h("li", {}, h("bdi", { class: "path-name" }, nameOf(path)), h("span", {}, visible(why)))))) : null);
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
    const take = (file, shape) => {
      if (lines.length < LISTED) lines.push(line(file, shape));
      else left += 1;
    };
    for (const { trash, link } of this.plan) {
      for (const file of trash) take(file, "trash");
      for (const file of link) take(file, "link");
    }
    return h("div", { class: "plan-lines" }, h("ul", { tabindex: "0", "aria-label": say("plan.files") }, lines),
      left ? h("p", { class: "hint" }, () => t("plan.more", { count: left })) : null);
  }
}

function line(file, shape) {
  return h("li", {}, icon(shape),
    h("bdi", { class: "path-name" }, nameOf(file.path)),
    h("bdi", { class: "path-folder" }, folderOf(file.path)),
    h("span", { class: "line-bytes" }, () => bytes(file.bytes)));
}

function worded({ count, bytes: size }) {
  return { count, bytes: bytes(size) };
}

/** Say what is to become of files: how many go to the trash, and how many become links. */
export function countWords({ trash, link }) {
  const words = [];
  if (trash.count || !link.count) words.push(t("plan.count", worded(trash)));
  if (link.count) words.push(t("plan.count_links", worded(link)));
  return words.join(t("list.comma"));
}

function applyWords({ trash, link }) {
  if (!link.count) return t("plan.apply", worded(trash));
  if (!trash.count) return t("plan.apply_links", worded(link));
  return t("plan.apply_both", { count: trash.count, links: link.count, bytes: bytes(trash.bytes + link.bytes) });
}

function resultWords({ done, bytes: size, kinds }, [moved, linked, some]) {
  if (!kinds) return t(some, { count: done, bytes: bytes(size) });
  const words = [];
  if (kinds.trash.count || !kinds.link.count) words.push(t(moved, worded(kinds.trash)));
  if (kinds.link.count) words.push(t(linked, worded(kinds.link)));
  return words.join(t("list.stop"));
}

/** Take back acts by their numbers, and say how it went. */
export async function undoActs(acts, moved) {
  const shut = notify(say("undo.busy"), { stays: true });
  try {
    const { done, failed, failures, message } = await takeBack(acts);
    moved(null, { failed });
    if (done || !(message || failures)) notify(() => t("undo.done", { count: done }));
    if (message) notify(visible(message), { kind: "error", stays: true });
    for (const { path, message: why } of failed.slice(0, 3)) {
      notify(`${nameOf(path)}: ${visible(why)}`, { kind: "error", stays: true });
    }
    if (failures > 3) notify(() => t("undo.failed", { count: failures }), { kind: "error" });
  } finally {
    shut();
  }
}
