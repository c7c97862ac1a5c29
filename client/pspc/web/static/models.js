// The models of learned descriptors: which one is in use, how far it is, and a pause for it.

import * as api from "./api.js";
import { fill, h } from "./dom.js";
import { bytes, percent, say, t } from "./i18n.js";
import { icon } from "./icons.js";
import { notifyError } from "./notices.js";
import { visible } from "./paths.js";

export class Models {
  /** Take whom to tell of a change. */
  constructor(changed) {
    this.changed = changed;
    this.line = h("p", { class: "model-line", role: "status" });
    this.bar = h("progress", { max: 1, value: 0, "aria-label": say("models") });
    this.tools = h("p", { class: "model-tools" });
    this.list = h("ul", { class: "model-list" });
    this.element = h("div", {}, this.line, this.bar, this.tools, this.list);
  }

  /** Show how many pictures have a descriptor. */
  showProgress({ model, described, describable, undescribed_because: why }) {
    this.bar.hidden = !model;
    this.bar.value = describable ? described / describable : 1;
    fill(this.line, () => {
      if (!model) return t("models.none");
      const share = percent(describable ? described / describable : 1);
      return t("models.progress", { model: visible(model), described, describable, share });
    }, why ? h("small", { lang: "en" }, ` ${visible(why)}`) : null);
    const isPaused = /pause/i.test(why);
    const action = isPaused ? "resume" : "pause";
    if (this.toolState === `${model} ${action}`) return;
    this.toolState = `${model} ${action}`;
    fill(this.tools, model ? h("button", { type: "button", class: "button small",
      onclick: () => this.change(action, "") }, icon(isPaused ? "play" : "pause"),
    say(`models.${action}`)) : null);
  }

  /** Load the list. */
  async load() {
    try {
      this.draw((await api.models()).models);
    } catch (error) {
      notifyError(error);
    }
  }

  draw(models) {
    fill(this.list, models.map((model) => h("li", { class: model.chosen ? "chosen" : "" },
      h("div", {}, h("strong", {}, visible(model.name)), " ",
        model.chosen ? h("span", { class: "state watching" }, say("models.chosen")) : null,
        h("p", { class: "facts" }, () => [t(`models.source.${model.source}`),
          t("models.dimension", { count: model.dimension }), model.bytes ? bytes(model.bytes) : "",
          visible(model.licence)].filter(Boolean).join(" · ")),
        model.problem ? h("p", { class: "facts", lang: "en" }, visible(model.problem)) : null),
      model.usable && !model.chosen ? h("button", { type: "button", class: "button small",
        onclick: () => this.change("use", model.name) }, say("models.use")) : null)));
  }

  async change(action, name) {
    try {
      this.draw((await api.changeModel(action, name)).models);
    } catch (error) {
      notifyError(error);
    }
    this.changed();
  }
}
