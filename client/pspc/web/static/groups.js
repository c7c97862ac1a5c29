// Groups of copies as they come, page by page, and what is to become of each file.
//
//     what the rules propose ─ what a person has decided ─▶ plan: {keep, trash, link} of each group
//
// What a person decides about a file or a group outlives loading anew, under the file's own path: a
// group has no name, and the keys of files are another gateway's tomorrow.

import * as api from "./api.js";

export class Groups {
  /** Begin without groups; `changed` is called after each change, with whether the groups are others. */
  constructor(changed) {
    this.changed = changed;
    /** Where a file is → what was decided about it, and about which content. */
    this.marks = new Map();
    /** Where a file is → whether its group was taken into the plan, or left out. */
    this.parts = new Map();
    /** Whether groups of which nothing was said are left out, those of pages to come as well. */
    this.allOut = false;
    this.links = false;
    this.abort = new AbortController();
    this.empty();
  }

  empty() {
    this.list = [];
    /** Where a file is → the group that has it. */
    this.holders = new Map();
    this.next = null;
    this.page = null;
    this.error = null;
    this.loading = null;
    this.isLoaded = false;
    /** Whether something was taken out since, so that the daemon's sums hold no longer. */
    this.isLess = false;
    /** Files that are other shots, or halves of one, and so in no group. */
    this.leftOut = 0;
  }

  /** Say whether a page is on its way. */
  get isBusy() {
    return this.loading !== null;
  }

  /** Say whether groups or files that there are were not asked for. */
  get isFiltered() {
    return this.wishes.verdict !== "copy" || Boolean(this.wishes.across_roots);
  }

  /** Say whether the daemon's sums are those of the list: it counts other shots as well. */
  get isCounted() {
    return !this.isFiltered && !this.isLess && Boolean(this.wishes.all_shots);
  }

  /** Load the first page by other wishes; what was decided about files and groups stays. */
  async start(wishes) {
    this.abort.abort();
    this.abort = new AbortController();
    this.empty();
    this.wishes = wishes;
    await this.load();
    await this.fillUp();
  }

  /** Load the next page, if there is one and none is on its way. */
  async more() {
    if (!this.isBusy && this.next !== null && !this.error) await this.load();
  }

  /** Load all that is left. */
  async all() {
    while (this.next !== null && !this.error) await this.load();
  }

  /** Load on until there is something to show: of a page nothing may be what was asked for. */
  async fillUp() {
    while (!this.list.length && this.next !== null && !this.error) await this.load();
  }

  /** Load the next page, or wait for the one that is on its way: none is loaded twice. */
  load() {
    this.loading ??= this.ask(this.abort.signal);
    return this.loading;
  }

  async ask(signal) {
    // Drawing what is shown meanwhile may ask for more, and shall find that this is under way.
    await null;
    if (signal.aborted) return;
    this.changed(this.list.length === 0);
    try {
      const page = await api.duplicates(this.wishes, this.next, signal);
      if (signal.aborted) return;
      this.take(page);
    } catch (error) {
      if (signal.aborted) return;
      this.loading = null;
      if (!(error instanceof api.ApiError)) throw error;
      this.error = error;
    }
    this.loading = null;
    this.changed(true);
  }

  take(page) {
    this.page = page;
    this.next = page.next ?? null;
    this.isLoaded = true;
    this.leftOut += page.left_out;
    for (const each of page.groups) {
      const group = { ...each, id: `${placeOf(each.files[0])} ${each.files.length}` };
      this.list.push(group);
      this.hold(group);
      for (const file of group.files) {
        // What was decided about a picture says nothing about one that took its place.
        if (this.markOf(file) === null) this.marks.delete(placeOf(file));
      }
    }
  }

  hold(group) {
    for (const file of group.files) this.holders.set(placeOf(file), group);
  }

  /** Return a group as it is now: what was drawn may be older than the list. */
  current(group) {
    for (const file of group.files) {
      const found = this.holders.get(placeOf(file));
      if (found) return found;
    }
    return group;
  }

  /** Return what was decided about a file; null where that was about another content, or nothing. */
  markOf(file) {
    const mark = this.marks.get(placeOf(file));
    return mark?.image === file.image ? mark.verb : null;
  }

  mark(file, verb) {
    // Who takes a mark back leaves it to the rules again.
    if (verb === file.do) this.marks.delete(placeOf(file));
    else this.marks.set(placeOf(file), { image: file.image, verb });
  }

  /** Forget all that was decided about files; the rules decide. */
  forgetMarks() {
    this.marks.clear();
    this.changed();
  }

  wanted(file) {
    return this.markOf(file) ?? file.do;
  }

  /** Return what is to become of a file: keep, stay, trash or link. */
  doOf(group, file) {
    const wanted = this.wanted(file);
    const isLinked = wanted === "trash" && this.links &&
      group.files.some((each) => each.image === file.image && !this.goes(each));
    return isLinked ? "link" : wanted;
  }

  /** Say whether a file goes away, by whatever way. */
  goes(file) {
    return this.wanted(file) === "trash";
  }

  /** Have a file go, or not; false when it is the last one of its group. */
  toggle(drawn, file) {
    const group = this.current(drawn);
    if (this.goes(file)) {
      this.mark(file, file.do === "trash" ? "keep" : file.do);
    } else {
      const isSame = (each) => placeOf(each) === placeOf(file);
      if (!group.files.some((each) => !isSame(each) && !this.goes(each))) return false;
      this.mark(file, "trash");
    }
    this.changed();
    return true;
  }

  /** Let only one file of a group stay. */
  keepOnly(drawn, file) {
    for (const each of this.current(drawn).files) {
      const verb = placeOf(each) === placeOf(file) ? "keep" : "trash";
      this.marks.set(placeOf(each), { image: each.image, verb });
    }
    this.changed();
  }

  /** Say whether a group is a part of the plan. */
  takesPart(group) {
    if (!this.parts.size) return !this.allOut;
    const said = group.files.map((file) => this.parts.get(placeOf(file)));
    // A group that was made of two goes out when one of them was.
    if (said.includes(false)) return false;
    return said.includes(true) || !this.allOut;
  }

  /** Say whether all of a group would go: such a group is no part of a plan. */
  isBare(group) {
    return group.files.every((file) => this.goes(file));
  }

  /** Take a group into the plan, or leave it out. */
  setPart(drawn, on) {
    for (const file of this.current(drawn).files) this.parts.set(placeOf(file), on);
    this.changed();
  }

  /** Do that with all groups, those that are not loaded yet as well. */
  setAllParts(on) {
    this.parts.clear();
    this.allOut = !on;
    this.changed();
  }

  /** Have equal files become links where they would go, or not. */
  setLinks(on) {
    this.links = on;
    this.changed();
  }

  /** Count what would go, groups, those that are left out, and those of which nothing would stay. */
  totals() {
    const totals = { files: 0, trash: counted(), link: counted(), groups: 0, out: 0, bare: 0 };
    for (const group of this.list) {
      if (!this.takesPart(group)) {
        totals.out += 1;
        continue;
      }
      const going = group.files.filter((file) => this.goes(file));
      if (going.length === group.files.length) {
        totals.bare += 1;
        continue;
      }
      for (const file of going) add(totals[this.doOf(group, file)], file);
      totals.files += going.length;
      totals.groups += going.length ? 1 : 0;
    }
    return totals;
  }

  /** Return the groups of which something goes, as `carryOut` wants them. */
  plan() {
    const groups = [];
    for (const group of this.list) {
      if (!this.takesPart(group) || this.isBare(group)) continue;
      const by = { keep: [], stay: [], trash: [], link: [] };
      for (const file of group.files) by[this.doOf(group, file)].push(file);
      if (!by.trash.length && !by.link.length) continue;
      // Of a file that merely stays nothing is promised, unless it is all that is left.
      const keep = by.keep.length ? by.keep : by.stay;
      groups.push({ keep, trash: by.trash, link: by.link });
    }
    return groups;
  }

  /** Take files out of the list, as those that are gone; a group of one is none. */
  drop(files) {
    const gone = new Set(files.map(placeOf));
    for (const place of gone) this.marks.delete(place);
    const left = this.list.map((group) => ({
      ...group, files: group.files.filter((file) => !gone.has(placeOf(file))),
    }));
    this.list = left.filter(({ files: some }) => some.length > 1);
    this.holders = new Map();
    for (const group of this.list) this.hold(group);
    this.isLess = true;
    this.changed(true);
    return this.fillUp();
  }
}

/** Return where a file is, exactly, as text. */
export function placeOf(file) {
  return file.path_base64 ?? file.path;
}

/** Return the contents of a group, each once. */
export function imagesOf(group) {
  return [...new Set(group.files.map(({ image }) => image))];
}

/** Return the bytes that a group would give back, were only its first file left. */
export function spareOf(group) {
  return group.files.slice(1).reduce((sum, file) => sum + file.bytes, 0);
}

function counted() {
  return { count: 0, bytes: 0 };
}

function add(sum, file) {
  sum.count += 1;
  sum.bytes += file.bytes;
}
