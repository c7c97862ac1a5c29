// Which groups are shown, which copy of each stays, and what may go: chosen here, kept for the next visit.

import * as api from "./api.js";
import { openDistinct } from "./distinct.js";
import { fill, h } from "./dom.js";
import { say } from "./i18n.js";
import { icon } from "./icons.js";
import { notifyError } from "./notices.js";
import { RuleEditor } from "./rules.js";
import { recall, remember } from "./storage.js";

const VERDICTS = ["same_file", "same_pixels", "copy"];

export class GroupWishes {
  /** Take whom to tell: `reload` when other groups are wanted, `link` when links are, or not. */
  constructor({ reload, link }) {
    this.reload = reload;
    this.link = link;
    this.links = recall("links", "") === "1";
    /** As the API has them. */
    this.values = {
      verdict: recall("verdict", "copy"),
      limit_do: recall("limit_do", "same_pixels"),
      across_roots: recall("across_roots", "") || null,
      all_shots: recall("all_shots", "") || null,
      keep: recall("keep", "") || null,
    };
    this.panel = h("div", { class: "duplicates-settings" });
    this.element = h("details", { class: "duplicates-options", open: innerWidth > 700 },
      h("summary", {}, icon("filter"), say("duplicates.options")), this.panel);
  }

  /** Make the panel, once: the rules are the daemon's, and without one it is made when there is one. */
  async load() {
    if (this.editor) return;
    let known;
    try {
      known = await api.rules();
    } catch (error) {
      notifyError(error);
      return;
    }
    // It may have been asked for twice.
    if (this.editor) return;
    const { rules, default: standard } = known;
    this.editor = new RuleEditor({ rules, initial: this.values.keep ?? standard, standard },
      (text) => this.wish({ keep: text === standard ? null : text }));
    fill(this.panel, this.editor.element, h("div", { class: "settings-row" },
      this.choice("verdict", "duplicates.show", (verdict) => `duplicates.show.${verdict}`),
      this.choice("limit_do", "duplicates.limit", (verdict) => `duplicates.limit.${verdict}`),
      this.box("duplicates.across", this.values.across_roots === "1",
        (on) => this.wish({ across_roots: on ? "1" : null })),
      this.box("duplicates.all_shots", this.values.all_shots === "1",
        (on) => this.wish({ all_shots: on ? "1" : null })),
      this.box("duplicates.links", this.links, (on) => this.wishLinks(on)),
      h("button", { type: "button", class: "button quiet small",
        onclick: () => openDistinct(this.reload) }, icon("different"), say("distinct"))));
  }

  choice(name, text, textOf) {
    return h("label", { class: "setting" }, h("span", {}, say(text)),
      h("select", { class: "field", name, onchange: ({ target }) => this.wish({ [name]: target.value }) },
        VERDICTS.map((value) => h("option", { value, selected: value === this.values[name] },
          say(textOf(value))))));
  }

  box(text, checked, does) {
    return h("label", { class: "choice" },
      h("input", { type: "checkbox", checked, onchange: ({ target }) => does(target.checked) }),
      h("span", {}, say(text)));
  }

  wish(values) {
    Object.assign(this.values, values);
    for (const [name, value] of Object.entries(values)) remember(name, value);
    this.reload();
  }

  wishLinks(on) {
    this.links = on;
    remember("links", on ? "1" : null);
    this.link(on);
  }
}
