// The bar at the foot of the groups: what the plan comes to, and what is done with it.

import { fill, h } from "./dom.js";
import { say, t } from "./i18n.js";
import { icon } from "./icons.js";
import { countWords } from "./plan.js";

export class PlanBar {
  /** Take the groups, and what the buttons do: `review` the plan, and `undo` an act by its number. */
  constructor(groups, does) {
    this.groups = groups;
    this.does = does;
    /** The number of the act that can be taken back; null for none. */
    this.undoable = null;
    this.isUndoing = false;
    this.element = h("div", { class: "plan-bar", role: "region", "aria-label": say("plan") });
  }

  /** Show what there is now; the focus stays where it is. */
  show() {
    const { groups, element } = this;
    const totals = groups.totals();
    const hasGroups = groups.list.length > 0;
    element.hidden = !hasGroups && this.undoable === null && !groups.marks.size;
    const focused = element.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
    fill(element, hasGroups ? [this.allGroups(totals), this.count(totals)] : null,
      groups.marks.size ? this.button("quiet", "marks", () => groups.forgetMarks(),
        () => t("marks.forget", { count: groups.marks.size })) : null,
      this.undoable === null ? null : this.button("", "undo", () => this.does.undo(this.undoable),
        [icon("undo"), say("undo.last")], this.isUndoing),
      hasGroups ? this.button("primary", "plan", () => this.does.review(), say("plan.review"),
        totals.files === 0) : null);
    if (focused) element.querySelector(`[data-focus="${focused}"]`)?.focus();
  }

  /** Make the box that takes all groups in, those of pages to come as well, or leaves them out. */
  allGroups({ out }) {
    const { groups } = this;
    const box = h("input", { type: "checkbox", "aria-label": say("plan.all"), "data-focus": "all",
      checked: out === 0 && !(groups.allOut && groups.next !== null), onchange: () => groups.setAllParts(box.checked) });
    const isSome = out > 0 && out < groups.list.length;
    box.indeterminate = isSome || (groups.next !== null && groups.allOut !== (out > 0));
    return h("label", { class: "choice" }, box, h("span", {}, say("plan.all")));
  }

  count(totals) {
    return h("span", { class: "plan-count" }, () =>
      `${countWords(totals)}${t("list.comma")}${t("plan.groups", { count: totals.groups })}`);
  }

  button(kind, name, onclick, text, disabled = false) {
    return h("button", { type: "button", class: `button ${kind}`, "data-focus": name, disabled, onclick }, text);
  }
}
