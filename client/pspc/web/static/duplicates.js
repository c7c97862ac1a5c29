// The view of groups of copies: which one stays, what goes, and the plan that does it.

import * as api from "./api.js";
import { openDetails } from "./details.js";
import { openDistinct, sayDistinct } from "./distinct.js";
import { fill, h } from "./dom.js";
import { on } from "./events.js";
import { drawHead, drawTile, stampOf } from "./group_tiles.js";
import { Groups, imagesOf } from "./groups.js";
import { bytes, say, t } from "./i18n.js";
import { icon } from "./icons.js";
import { addKeys } from "./keys.js";
import { errorText, notify, notifyError } from "./notices.js";
import { copyPath } from "./paths.js";
import { PlanDialog, undoActs } from "./plan.js";
import { address, go } from "./router.js";
import { RuleEditor } from "./rules.js";
import { setSeries } from "./series.js";
import { recall, remember } from "./storage.js";
import { TileGrid } from "./tile_grid.js";
import { freshnessWords } from "./words.js";

const SIZES = { width: 12.5, height: 18.5, head: 3.75, narrow: 34, flat: 9.5, flatHead: 5 };
const VERDICTS = ["same_file", "same_pixels", "copy"];

/** Milliseconds without a change after which a list that was undone is loaded anew. */
const QUIET = 800;

export class DuplicatesView {
  /** Make the view; groups are loaded when it is shown first. */
  constructor() {
    this.groups = new Groups((isOther) => this.refresh(isOther));
    this.groups.links = recall("links", "") === "1";
    this.wishes = {
      verdict: recall("verdict", "copy"),
      limit_do: recall("limit_do", "same_pixels"),
      across_roots: recall("across_roots", "") || null,
      keep: recall("keep", "") || null,
    };
    this.summary = h("p", { class: "duplicates-sum", role: "status" });
    this.notes = h("ul", { class: "fresh-notes" });
    this.settings = h("div", { class: "duplicates-settings" });
    this.host = h("div", { class: "groups", "aria-label": say("duplicates") });
    this.bar = h("div", { class: "plan-bar", role: "region", "aria-label": say("plan") });
    this.nothing = h("div", { class: "nothing", hidden: true });
    this.changedLine = h("p", { class: "notice-line", hidden: true }, icon("refresh"),
      h("span", {}, say("duplicates.changed")),
      h("button", { type: "button", class: "button small", onclick: () => this.reload() }, say("refresh")));
    this.grid = new TileGrid(this.host, {
      sizes: SIZES,
      head: (section) => drawHead(section.group, this.groups, this.does),
      tile: (file, section) => drawTile(file, section.group, this.groups, this.does),
      keyOf: (file) => file.key,
      headStamp: ({ group }) => this.headStamp(group),
      stampOf: (file, { group }) => stampOf(file, group, this.groups),
      near: () => this.groups.more(),
    });
    this.does = this.actions();
    this.element = h("div", { class: "duplicates" },
      h("div", { class: "duplicates-top" }, h("h1", { tabindex: "-1" }, say("duplicates")), this.summary),
      h("details", { class: "duplicates-options", open: innerWidth > 700 },
        h("summary", {}, icon("filter"), say("duplicates.options")), this.settings),
      this.changedLine, this.notes, this.nothing, this.host, this.bar);
    this.listen();
  }

  /** Show the groups; those that were loaded stay. */
  async show() {
    if (!this.editor) await this.makeSettings();
    if (!this.groups.isLoaded && !this.groups.isBusy) await this.reload();
    else this.grid.refresh();
    this.loadActs();
  }

  async reload() {
    this.changedLine.hidden = true;
    this.grid.rewind();
    await this.groups.start(this.wishes);
  }

  listen() {
    let timer = 0;
    on("change", () => {
      if (!this.groups.isLoaded || this.isActing) return;
      this.changedLine.hidden = false;
      if (!this.reloadsWhenQuiet) return;
      clearTimeout(timer);
      timer = setTimeout(() => {
        this.reloadsWhenQuiet = false;
        this.reload();
      }, QUIET);
    });
    on("daemon", ({ state }) => {
      if (state === "up" && this.groups.error && this.element.offsetParent) this.reload();
    });
    const isShown = () => this.element.offsetParent !== null;
    const act = (does) => ({ does: () => {
      const found = this.grid.focused;
      return found ? does(found.section.group, found.item) : false;
    } });
    addKeys("keys.duplicates", isShown, [
      { keys: ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"], text: "keys.move" },
      { keys: ["Enter", " "], text: "keys.toggle" },
      { keys: ["k"], text: "group.keep_only", ...act(this.does.keepOnly) },
      { keys: ["c"], text: "group.compare_kept", ...act(this.does.compareFile) },
      { keys: ["i"], text: "group.details", ...act(this.does.details) },
      { keys: ["n"], text: "group.distinct", ...act((group) => this.does.distinct(group)) },
      { keys: ["x"], text: "group.part", ...act((group) =>
        this.groups.setPart(group, !this.groups.takesPart(group))) },
      { keys: ["y"], text: "hit.copy", ...act((_, file) => copyPath(file)) },
      { keys: ["j"], text: "keys.to_results", does: () => this.grid.focusItem(0) },
      { keys: ["a"], text: "plan.review", does: () => this.openPlan() },
    ]);
  }

  actions() {
    return {
      toggle: (group, file) => {
        if (!this.groups.toggle(group, file)) notify(say("group.last"));
      },
      keepOnly: (group, file) => this.groups.keepOnly(group, file),
      details: (group, file) => openDetails(file, {
        compare: () => this.does.compareFile(group, file),
        search: () => go(address("search", [file.image])),
      }),
      compare: (group) => this.compare(group, group.files.find((file) => file !== this.kept(group))),
      compareFile: (group, file) => this.compare(group, file),
      distinct: (group) => this.distinct(group),
    };
  }

  kept(group) {
    return group.files.find((file) => !this.groups.goes(file)) ?? group.files[0];
  }

  /** Compare a file with the one that is kept, or that one with the next. */
  compare(group, file) {
    const kept = this.kept(group);
    const [best] = group.files;
    const others = group.files.filter((each) => each !== kept);
    // Turns are told against the best one alone.
    const place = (each) => address("compare", [kept.image, each.image],
      { turn: kept === best && each.turn !== "none" ? each.turn : "" });
    setSeries(others.map(place));
    go(place(file === kept ? others[0] : file));
  }

  async distinct(group) {
    const images = imagesOf(group);
    if (images.length < 2) return;
    const isSaid = await sayDistinct(images, () => this.reload());
    if (isSaid) this.groups.drop(new Set(group.files.map(({ key }) => key)));
  }

  async makeSettings() {
    let known;
    try {
      known = await api.rules();
    } catch (error) {
      notifyError(error);
      return;
    }
    const standard = known.default;
    this.editor = new RuleEditor(
      { rules: known.rules, initial: this.wishes.keep ?? standard, standard },
      (text) => this.wish({ keep: text === standard ? null : text }));
    const choice = (name, values, text) => h("label", { class: "setting" }, h("span", {}, say(text)),
      h("select", { class: "field", name, onchange: ({ target }) => this.wish({ [name]: target.value }) },
        values.map((value) => h("option", { value, selected: value === this.wishes[name] },
          say(`${text}.${value}`)))));
    const across = h("input", { type: "checkbox", checked: this.wishes.across_roots === "1",
      onchange: () => this.wish({ across_roots: across.checked ? "1" : null }) });
    const links = h("input", { type: "checkbox", checked: this.groups.links,
      onchange: () => this.setLinks(links.checked) });
    fill(this.settings, this.editor.element,
      h("div", { class: "settings-row" },
        choice("verdict", VERDICTS, "duplicates.show"), choice("limit_do", VERDICTS, "duplicates.limit"),
        h("label", { class: "choice" }, across, h("span", {}, say("duplicates.across"))),
        h("label", { class: "choice" }, links, h("span", {}, say("duplicates.links"))),
        h("button", { type: "button", class: "button quiet small",
          onclick: () => openDistinct(() => this.reload()) }, icon("different"), say("distinct"))));
  }

  wish(values) {
    Object.assign(this.wishes, values);
    for (const [name, value] of Object.entries(values)) remember(name, value);
    this.reload();
  }

  setLinks(on) {
    this.groups.links = on;
    remember("links", on ? "1" : null);
    this.refresh();
  }

  /** Show the groups: other ones, or the same with other marks. */
  refresh(isOther = false) {
    const { groups } = this;
    this.element.classList.toggle("busy", groups.isBusy);
    fill(this.summary, () => this.sum());
    this.showNotes();
    if (isOther) {
      this.grid.setSections(groups.list.map((group) => (
        { key: `g ${group.id}`, items: group.files, group })));
    } else {
      this.grid.refresh();
    }
    this.showBar();
  }

  headStamp(group) {
    const going = group.files.filter((file) => this.groups.goes(file)).length;
    return `${going} ${this.groups.takesPart(group)} ${group.files.length}`;
  }

  sum() {
    const { page, isBusy, error } = this.groups;
    if (error) return "";
    if (!page) return isBusy ? t("duplicates.loading") : "";
    return t("duplicates.sum", { count: page.total, bytes: bytes(page.waste) });
  }

  showNotes() {
    const { page, error, list, isBusy, isLoaded } = this.groups;
    fill(this.notes);
    if (error) this.notes.append(h("li", { class: "error" }, icon("warning"), errorText(error)));
    if (page?.uncompared) {
      this.notes.append(h("li", {}, icon("info"),
        h("span", {}, () => t("duplicates.uncompared", { count: page.uncompared }))));
    }
    const count = page ? freshnessWords(page.freshness).length : 0;
    for (let index = 0; index < count; index += 1) {
      this.notes.append(h("li", {}, icon("info"),
        h("span", {}, () => freshnessWords(page.freshness)[index])));
    }
    this.nothing.hidden = !isLoaded || isBusy || list.length > 0 || Boolean(error);
    fill(this.nothing, icon("copies"), h("p", {}, say("duplicates.none")));
  }

  showBar() {
    const totals = this.groups.totals();
    const isEmpty = !this.groups.list.length;
    this.bar.hidden = isEmpty && !this.undoable;
    const parts = h("input", { type: "checkbox", "aria-label": say("plan.all"),
      checked: this.groups.leftOut.size === 0,
      onchange: () => this.groups.setAllParts(parts.checked) });
    parts.indeterminate = this.groups.leftOut.size > 0 && this.groups.leftOut.size < this.groups.list.length;
    const hadFocus = this.bar.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
    parts.dataset.focus = "all";
    fill(this.bar, isEmpty ? null : [
      h("label", { class: "choice" }, parts, h("span", {}, say("plan.all"))),
      h("span", { class: "plan-count" },
        () => `${t("plan.count", { count: totals.files, bytes: bytes(totals.bytes) })}${
          t("list.comma")}${t("plan.groups", { count: totals.groups })}`)],
    this.undoable ? h("button", { type: "button", class: "button", "data-focus": "undo",
      onclick: () => this.undo() }, icon("undo"), say("undo.last")) : null,
    isEmpty ? null : h("button", { type: "button", class: "button primary", disabled: totals.files === 0,
      "data-focus": "plan", onclick: () => this.openPlan() }, say("plan.review")));
    if (hadFocus) this.bar.querySelector(`[data-focus="${hadFocus}"]`)?.focus();
  }

  openPlan() {
    if (!this.groups.totals().files) return;
    this.isActing = true;
    const dialog = new PlanDialog(this.groups, { moved: (plan, result) => this.moved(plan, result) });
    dialog.dialog.addEventListener("close", () => {
      this.isActing = false;
    });
  }

  /** Take files that were moved out of the list; without a plan, they came back. */
  moved(plan, { failed, failures }) {
    this.loadActs();
    // Of very many that failed not all are named.
    if (!plan || failures > failed.length) {
      // The daemon tells of each file that it sees again.
      this.reloadsWhenQuiet = true;
      this.reload();
      return;
    }
    const stays = new Set(failed.map(({ path }) => path));
    const going = new Set(plan.flatMap(({ trash, link }) => [...trash, ...link].map(({ key }) => key)));
    const gone = this.groups.list.flatMap(({ files }) => files)
      .filter(({ key, path }) => going.has(key) && !stays.has(path)).map(({ key }) => key);
    this.groups.drop(new Set(gone));
  }

  async loadActs() {
    try {
      const { acts } = await api.acts();
      this.undoable = acts.some(({ can_undo: canUndo }) => canUndo);
      this.showBar();
    } catch (error) {
      notifyError(error);
    }
  }

  undo() {
    undoActs(1, (plan, result) => this.moved(plan, result));
  }
}
