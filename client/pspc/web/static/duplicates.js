// The view of groups of copies: which one stays, what goes, and the plan that does it.

import * as api from "./api.js";
import { openDetails } from "./details.js";
import { sayDistinct } from "./distinct.js";
import { fill, h } from "./dom.js";
import { on } from "./events.js";
import { drawHead, drawTile, headStampOf, stampOf } from "./group_tiles.js";
import { GroupWishes } from "./group_wishes.js";
import { Groups, imagesOf, placeOf, spareOf } from "./groups.js";
import { bytes, say, t } from "./i18n.js";
import { icon } from "./icons.js";
import { addKeys } from "./keys.js";
import { errorText, notify, notifyError } from "./notices.js";
import { copyPath } from "./paths.js";
import { PlanDialog, undoActs } from "./plan.js";
import { PlanBar } from "./plan_bar.js";
import { address, go } from "./router.js";
import { setSeries } from "./series.js";
import { TileGrid } from "./tile_grid.js";
import { freshnessWords } from "./words.js";

const SIZES = { width: 12.5, height: 18.5, head: 3.75, narrow: 34, flat: 9.5, flatHead: 5 };

/** Milliseconds without a change after which a list that was undone is loaded anew. */
const QUIET = 800;

export class DuplicatesView {
  /** Make the view; groups are loaded when it is shown first. */
  constructor() {
    this.groups = new Groups((isOther) => this.refresh(isOther));
    this.wishes = new GroupWishes({ reload: () => this.reload(), link: (on) => this.groups.setLinks(on) });
    this.groups.links = this.wishes.links;
    this.summary = h("p", { class: "duplicates-sum", role: "status" });
    this.notes = h("ul", { class: "fresh-notes" });
    this.host = h("div", { class: "groups", "aria-label": say("duplicates") });
    this.bar = new PlanBar(this.groups, {
      review: () => this.openPlan(),
      undo: (act) => this.undo([act]),
    });
    this.nothing = h("div", { class: "nothing", hidden: true });
    this.changedLine = h("p", { class: "notice-line", hidden: true }, icon("refresh"),
      h("span", {}, say("duplicates.changed")),
      h("button", { type: "button", class: "button small", onclick: () => this.reload() }, say("refresh")));
    this.grid = new TileGrid(this.host, {
      sizes: SIZES,
      head: (section) => drawHead(section.group, this.groups, this.does),
      tile: (file, section) => drawTile(file, section.group, this.groups, this.does),
      keyOf: (file) => file.key,
      headStamp: ({ group }) => headStampOf(group, this.groups),
      stampOf: (file, { group }) => stampOf(file, group, this.groups),
      near: () => this.groups.more(),
    });
    this.does = this.actions();
    this.element = h("div", { class: "duplicates" },
      h("div", { class: "duplicates-top" }, h("h1", { tabindex: "-1" }, say("duplicates")), this.summary),
      this.wishes.element, this.changedLine, this.notes, this.nothing, this.host, this.bar.element);
    this.listen();
  }

  /** Show the groups; those that were loaded stay. */
  async show() {
    await this.wishes.load();
    if (!this.groups.isLoaded && !this.groups.isBusy) await this.reload();
    else this.grid.refresh();
    this.loadActs();
  }

  async reload() {
    this.changedLine.hidden = true;
    this.grid.rewind();
    await this.groups.start(this.wishes.values);
  }

  listen() {
    let timer = 0;
    on("change", () => {
      if (!this.reloadsWhenQuiet) {
        // What the page does itself it knows.
        if (this.groups.isLoaded && !this.isActing) this.changedLine.hidden = false;
        return;
      }
      // What it has lost sight of it looks for, also when it is just looking.
      clearTimeout(timer);
      timer = setTimeout(() => {
        this.reloadsWhenQuiet = false;
        this.reload();
      }, QUIET);
    });
    on("daemon", ({ state }) => {
      if (state !== "up" || !this.element.offsetParent) return;
      this.wishes.load();
      if (this.groups.error) this.reload();
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
      // What was drawn may be older than the list: a file of its group may be gone by now.
      compare: (drawn) => {
        const group = this.groups.current(drawn);
        this.compare(group, group.files.find((file) => file !== this.kept(group)));
      },
      compareFile: (group, file) => this.compare(this.groups.current(group), file),
      distinct: (group) => this.distinct(this.groups.current(group)),
    };
  }

  kept(group) {
    return group.files.find((file) => !this.groups.goes(file)) ?? group.files[0];
  }

  /** Compare a file with the one that is kept, or that one with the next. */
  compare(group, file) {
    const kept = this.kept(group);
    const best = group.files.find(({ verdict }) => verdict === "best");
    const others = group.files.filter((each) => each !== kept);
    // Turns are told against the best one alone.
    const place = (each) => address("compare", [kept.image, each.image],
      { turn: kept === best && each.turn !== "none" ? each.turn : "" });
    setSeries(others.map(place));
    go(place(placeOf(file) === placeOf(kept) ? others[0] : file));
  }

  async distinct(group) {
    const images = imagesOf(group);
    if (images.length < 2) return;
    const isSaid = await sayDistinct(images, () => this.reload());
    if (isSaid) this.groups.drop(group.files);
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
    this.bar.show();
  }

  sum() {
    const { page, isBusy, error, list, isFiltered, isLess, isCounted, next } = this.groups;
    if (error) return "";
    if (!page) return isBusy ? t("duplicates.loading") : "";
    const all = { count: page.total, bytes: bytes(page.waste) };
    if (isCounted) return t("duplicates.sum", all);
    // The daemon counts all groups, and counted them before some were tidied or left out.
    if (next !== null && !isFiltered && !isLess) return t("duplicates.sum_about", all);
    const spare = list.reduce((sum, group) => sum + spareOf(group), 0);
    if (!isFiltered && !isLess) return t("duplicates.sum", { count: list.length, bytes: bytes(spare) });
    return t(next === null ? "duplicates.sum_here" : "duplicates.sum_so_far",
      { count: list.length, bytes: bytes(spare) });
  }

  showNotes() {
    const { page, error, list, isBusy, isLoaded, next, isFiltered, leftOut } = this.groups;
    fill(this.notes);
    if (error) this.notes.append(h("li", { class: "error" }, icon("warning"), errorText(error)));
    if (page?.uncompared) {
      this.notes.append(h("li", {}, icon("info"),
        h("span", {}, () => t("duplicates.uncompared", { count: page.uncompared }))));
    }
    if (leftOut) {
      this.notes.append(h("li", {}, icon("info"),
        h("span", {}, () => t("duplicates.left_out", { count: leftOut }))));
    }
    const count = page ? freshnessWords(page.freshness).length : 0;
    for (let index = 0; index < count; index += 1) {
      this.notes.append(h("li", {}, icon("info"),
        h("span", {}, () => freshnessWords(page.freshness)[index])));
    }
    const isAll = isLoaded && !isBusy && next === null && !error;
    this.nothing.hidden = !isAll || list.length > 0;
    if (isAll) {
      fill(this.nothing, icon("copies"),
        h("p", {}, say(isFiltered || leftOut ? "duplicates.none_such" : "duplicates.none")));
    }
  }

  openPlan() {
    if (!this.groups.totals().files) return;
    this.isActing = true;
    const dialog = new PlanDialog(this.groups, {
      moved: (plan, result) => this.moved(plan, result),
      undo: (acts) => this.undo(acts),
    });
    dialog.dialog.addEventListener("close", () => {
      this.isActing = false;
    });
  }

  /** Take files that were moved out of the list; without a plan, they came back. */
  moved(plan, { failed, isWhole }) {
    this.loadActs();
    // Of a file of which nobody knows how it went, only the daemon knows whether it is there.
    if (!plan || !isWhole) {
      // It tells of each file that it sees again.
      this.reloadsWhenQuiet = true;
      this.reload();
      return;
    }
    const stays = new Set(failed.map(placeOf));
    const going = plan.flatMap(({ trash, link }) => [...trash, ...link]);
    this.groups.drop(going.filter((file) => !stays.has(placeOf(file))));
  }

  async loadActs() {
    try {
      const { acts } = await api.acts();
      this.bar.undoable = acts.find(({ can_undo: canUndo }) => canUndo)?.act ?? null;
      this.bar.show();
    } catch (error) {
      notifyError(error);
    }
  }

  /** Take back acts, by their numbers; one at a time, for each is the newest only once. */
  async undo(acts) {
    if (this.bar.isUndoing) return;
    this.bar.isUndoing = true;
    this.bar.show();
    try {
      await undoActs(acts, (plan, result) => this.moved(plan, result));
    } finally {
      this.bar.isUndoing = false;
      await this.loadActs();
      this.bar.show();
    }
  }
}
