// The rules of which copy to keep, in their order: moved, added and dropped, and applied at once.

import { fill, h } from "./dom.js";
import { hasText, say, t } from "./i18n.js";
import { icon } from "./icons.js";
import { visible } from "./paths.js";

const DRAGGED = "application/x-psp-rule";

export class RuleEditor {
  /** Take the known rules, those to begin with, and whom to tell of a change. */
  constructor({ rules, initial, standard }, changed) {
    this.known = rules.filter((name) => !name.startsWith("path:"));
    this.standard = standard;
    this.changed = changed;
    this.list = h("ol", { class: "rules" });
    this.adder = h("div", { class: "rule-adder" });
    this.element = h("div", { class: "rule-editor", role: "group", "aria-label": say("rules") },
      h("div", { class: "rules-title" }, h("strong", {}, say("rules")),
        h("span", { class: "hint" }, say("rules.how"))), this.list, this.adder);
    this.set(initial, false);
  }

  /** Return the rules as the API has them. */
  get text() {
    return this.rules.join(", ");
  }

  set(text, isChange = true) {
    this.rules = text.split(",").map((each) => each.trim()).filter(Boolean);
    this.draw();
    if (isChange) this.changed(this.text);
  }

  change(rules, focus = null) {
    this.set(rules.join(", "));
    if (focus !== null) this.list.querySelector(`[data-focus="${focus}"]`)?.focus();
  }

  move(from, to) {
    if (to < 0 || to >= this.rules.length || from === to) return;
    const rules = [...this.rules];
    rules.splice(to, 0, ...rules.splice(from, 1));
    this.change(rules, `${to} ${to > from ? "down" : "up"}`);
  }

  draw() {
    fill(this.list, this.rules.map((rule, index) => this.drawRule(rule, index)));
    const left = this.known.filter((name) => !this.rules.includes(name));
    // A closed list changes with each arrow key: only the button adds.
    const select = h("select", { class: "field", "aria-label": say("rules.add"), onchange: () => {
      add.disabled = select.value === "";
    } },
      h("option", { value: "" }, say("rules.add")),
      left.map((name) => h("option", { value: name }, () => ruleName(name))),
      h("option", { value: "path:" }, say("rule.path_new")));
    const add = h("button", { type: "button", class: "button small", disabled: true,
      onclick: () => this.add(select.value) }, icon("add"), say("rules.add_one"));
    const isStandard = this.text === this.standard;
    fill(this.adder, select, add, isStandard ? null : h("button", { type: "button", class: "button quiet small",
      onclick: () => this.set(this.standard) }, say("rules.reset")));
  }

  drawRule(rule, index) {
    const name = () => ruleName(rule);
    const button = (shape, text, does, focus) => h("button", { type: "button",
      class: "button quiet square small", "aria-label": () => t(text, { rule: name() }),
      "data-focus": `${index} ${focus}`, onclick: does }, icon(shape));
    const item = h("li", { class: "rule", draggable: "true" },
      h("span", { class: "rule-number", "aria-hidden": "true" }, String(index + 1)),
      h("span", { class: "rule-name", title: () => (hasText(`rule.${rule}.hint`) ? t(`rule.${rule}.hint`) : "") }, name),
      index > 0 ? button("left", "rules.up", () => this.move(index, index - 1), "up") : null,
      index < this.rules.length - 1
        ? button("right", "rules.down", () => this.move(index, index + 1), "down") : null,
      this.rules.length > 1 ? button("close", "rules.drop", () => this.drop(index), "drop") : null);
    item.addEventListener("dragstart", ({ dataTransfer }) => {
      dataTransfer.setData(DRAGGED, String(index));
      dataTransfer.effectAllowed = "move";
    });
    item.addEventListener("dragover", (event) => {
      if (event.dataTransfer.types.includes(DRAGGED)) event.preventDefault();
    });
    item.addEventListener("drop", (event) => {
      const from = event.dataTransfer.getData(DRAGGED);
      if (from === "") return;
      event.preventDefault();
      event.stopPropagation();
      this.move(Number(from), index);
    });
    return item;
  }

  add(name) {
    if (name === "path:") {
      this.askForPath();
    } else if (name) {
      this.change([...this.rules, name]);
      this.adder.querySelector("select").focus();
    }
  }

  drop(index) {
    this.change(this.rules.filter((_, each) => each !== index), `${Math.max(0, index - 1)} drop`);
  }

  /** Ask which folder is preferred; its rule comes first, for that is why one has it. */
  askForPath() {
    const field = h("input", { class: "field", type: "text", placeholder: "/photos/**", required: true,
      "aria-label": say("rule.path_new"), spellcheck: "false" });
    const form = h("form", { class: "rule-path", onsubmit: (event) => {
      event.preventDefault();
      // A comma parts rules from each other, so that a pattern has none.
      const glob = field.value.trim().replaceAll(",", "?");
      if (glob) this.change([`path:${glob}`, ...this.rules]);
    } }, field, h("button", { type: "submit", class: "button small" }, say("rules.use")),
    h("button", { type: "button", class: "button quiet small", onclick: () => this.draw() }, say("cancel")));
    fill(this.adder, form);
    field.focus();
  }
}

/** Return what people call a rule. */
export function ruleName(rule) {
  if (rule.startsWith("path:")) return t("rule.path", { glob: visible(rule.slice("path:".length)) });
  return hasText(`rule.${rule}`) ? t(`rule.${rule}`) : rule;
}
