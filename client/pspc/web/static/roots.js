// The watched folders: how each is, and adding, pausing and removing them.

import * as api from "./api.js";
import { ask } from "./dialogs.js";
import { fill, h } from "./dom.js";
import { say, t } from "./i18n.js";
import { icon } from "./icons.js";
import { errorText, notify, notifyError } from "./notices.js";
import { visible } from "./paths.js";

export class Roots {
  /** Take whom to tell of a change. */
  constructor(changed) {
    this.changed = changed;
    this.list = h("ul", { class: "root-list" });
    this.error = h("p", { class: "error", role: "alert", hidden: true });
    this.element = h("div", {}, this.list, this.form(), this.error);
  }

  /** Show the folders, unless all is as it was. */
  show(roots) {
    const stamp = JSON.stringify(roots);
    if (stamp === this.stamp) return;
    this.stamp = stamp;
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.of : null;
    fill(this.list, roots.map((root) => this.entry(root)));
    if (!roots.length) fill(this.list, h("li", { class: "hint" }, say("roots.none")));
    if (focused) this.list.querySelector(`[data-of="${CSS.escape(focused)}"]`)?.focus();
  }

  entry(root) {
    const facts = () => [
      t("roots.indexed", { count: root.indexed }),
      root.pending ? t("roots.pending", { count: root.pending }) : "",
      root.failed ? t("roots.failed", { count: root.failed }) : "",
    ].filter(Boolean).join(" · ");
    const filters = () => [
      root.include.length ? t("roots.only", { globs: visible(root.include.join(" ")) }) : "",
      root.exclude.length ? t("roots.without", { globs: visible(root.exclude.join(" ")) }) : "",
      root.hidden ? t("roots.hidden") : "",
    ].filter(Boolean).join(" · ");
    const isPaused = root.state === "paused";
    return h("li", { class: `root ${root.state}` }, icon("folder"),
      h("div", { class: "root-text" },
        h("bdi", { class: "root-path" }, visible(root.path)),
        h("span", { class: `state ${root.state}` }, say(`roots.state.${root.state}`)),
        h("p", { class: "facts" }, facts), filters() ? h("p", { class: "facts" }, filters) : null,
        isPaused ? h("p", { class: "facts" }, say("roots.paused.how")) : null,
        root.problem && !isPaused ? h("p", { class: "error" }, visible(root.problem)) : null),
      h("div", { class: "root-tools" },
        isPaused ? this.button(root, "resume", "play") : null,
        isPaused || root.state === "removing" ? null : this.button(root, "pause", "pause"),
        this.button(root, "remove", "trash")));
  }

  /** Make a button for a folder; it keeps the focus when the list is drawn anew. */
  button(root, act, shape) {
    // Whoever pauses finds the way on under the same finger.
    const place = act === "remove" ? act : "pause";
    return h("button", { type: "button", class: "button quiet small", "data-of": `${place} ${root.path}`,
      "aria-label": () => t(`roots.${act}.one`, { path: visible(root.path) }),
      onclick: () => this[act](root) }, icon(shape), say(`roots.${act}`));
  }

  form() {
    const path = h("input", { class: "field", type: "text", name: "path", required: true, spellcheck: "false",
      autocomplete: "off", placeholder: say("roots.example"), "aria-label": say("roots.path") });
    const globs = (name) => h("input", { class: "field", type: "text", name, spellcheck: "false",
      placeholder: name === "include" ? "*.jpg *.png" : "thumbs/** *.tmp" });
    const [include, exclude] = [globs("include"), globs("exclude")];
    const hidden = h("input", { type: "checkbox", name: "hidden" });
    const words = (field) => field.value.trim().split(/\s+/).filter(Boolean);
    const send = async (event) => {
      event.preventDefault();
      const root = { path: path.value.trim(), include: words(include), exclude: words(exclude),
        hidden: hidden.checked };
      if (root.path && await this.add(root)) event.target.reset();
    };
    return h("form", { class: "root-form", onsubmit: send, novalidate: true },
      h("div", { class: "root-line" }, path,
        h("button", { type: "submit", class: "button primary" }, icon("add"), say("roots.add"))),
      h("details", {}, h("summary", {}, say("roots.filters")),
        h("label", { class: "setting" }, h("span", {}, say("roots.include")), include),
        h("label", { class: "setting" }, h("span", {}, say("roots.exclude")), exclude),
        h("label", { class: "choice" }, hidden, h("span", {}, say("roots.hidden")))));
  }

  async add(root) {
    this.error.hidden = true;
    try {
      await api.addRoot(root);
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      this.error.hidden = false;
      fill(this.error, icon("warning"), errorText(error));
      return false;
    }
    notify(() => t("roots.added", { path: visible(root.path) }));
    this.changed();
    return true;
  }

  async remove(root) {
    const isSure = await ask({
      title: say("roots.remove_title"),
      text: () => t("roots.remove_text", { path: visible(root.path), count: root.indexed }),
      action: say("roots.remove"),
      isDanger: true,
    });
    if (isSure) await this.change(api.removeRoot, root, "roots.removed");
  }

  pause(root) {
    return this.change(api.pauseRoot, root, "roots.paused");
  }

  resume(root) {
    return this.change(api.resumeRoot, root, "roots.resumed");
  }

  async change(act, root, done) {
    try {
      await act(root);
      notify(() => t(done, { path: visible(root.path) }));
    } catch (error) {
      notifyError(error);
    }
    this.changed();
  }
}
