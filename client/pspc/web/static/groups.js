// Groups of copies as they come, page by page, and what is to become of each file.
//
//     what the rules propose ─ what a person has decided ─▶ plan: {keep, trash, link} of each group

import * as api from "./api.js";

export class Groups {
  /** Begin without groups; `changed` is called after each change, with whether the groups are others. */
  constructor(changed) {
    this.changed = changed;
    this.decided = new Map();
    this.links = false;
    this.abort = new AbortController();
    this.empty();
  }

  empty() {
    this.list = [];
    this.next = null;
    this.page = null;
    this.error = null;
    this.isBusy = false;
    this.isLoaded = false;
    this.leftOut = new Set();
  }

  /** Load the first page by other wishes; what was decided about files stays. */
  async start(wishes) {
    this.abort.abort();
    this.abort = new AbortController();
    this.empty();
    this.wishes = wishes;
    await this.load();
  }

  /** Load the next page, if there is one and none is on its way. */
  async more() {
    if (!this.isBusy && this.next !== null && !this.error) await this.load();
  }

  /** Load all that is left. */
  async all() {
    while (this.next !== null && !this.error) await this.load();
  }

  async load() {
    const { signal } = this.abort;
    this.isBusy = true;
    this.changed(true);
    try {
      const page = await api.duplicates(this.wishes, this.next, signal);
      this.page = page;
      this.next = page.next ?? null;
      this.list.push(...page.groups.map(made));
      this.isLoaded = true;
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof api.ApiError)) throw error;
      this.error = error;
    }
    this.isBusy = false;
    this.changed(true);
  }

  /** Return what is to become of a file: keep, stay, trash or link. */
  doOf(group, file) {
    const wanted = this.decided.get(file.key) ?? file.do;
    const isLinked = wanted === "trash" && this.links &&
      group.files.some((each) => each.image === file.image && !this.goes(each));
    return isLinked ? "link" : wanted;
  }

  /** Say whether a file goes away, by whatever way. */
  goes(file) {
    return (this.decided.get(file.key) ?? file.do) === "trash";
  }

  /** Have a file go, or not; false when it is the last one of its group. */
  toggle(group, file) {
    if (this.goes(file)) {
      this.decided.set(file.key, file.do === "trash" ? "keep" : file.do);
    } else {
      const others = group.files.filter((each) => each !== file && !this.goes(each));
      if (!others.length) return false;
      this.decided.set(file.key, "trash");
    }
    this.changed();
    return true;
  }

  /** Let only one file of a group stay. */
  keepOnly(group, file) {
    for (const each of group.files) this.decided.set(each.key, each === file ? "keep" : "trash");
    this.changed();
  }

  /** Say whether a group is a part of the plan. */
  takesPart(group) {
    return !this.leftOut.has(group.id);
  }

  /** Take a group into the plan, or leave it out. */
  setPart(group, on) {
    if (on) this.leftOut.delete(group.id);
    else this.leftOut.add(group.id);
    this.changed();
  }

  /** Do that with all groups. */
  setAllParts(on) {
    this.leftOut = new Set(on ? [] : this.list.map(({ id }) => id));
    this.changed();
  }

  /** Count what would go: files, bytes, groups. */
  totals() {
    const totals = { files: 0, bytes: 0, groups: 0, links: 0 };
    for (const group of this.list) {
      if (!this.takesPart(group)) continue;
      const going = group.files.filter((file) => this.goes(file));
      totals.files += going.length;
      totals.bytes += going.reduce((sum, file) => sum + file.bytes, 0);
      totals.groups += going.length ? 1 : 0;
      totals.links += going.filter((file) => this.doOf(group, file) === "link").length;
    }
    return totals;
  }

  /** Return the groups of which something goes, as `acts` wants them. */
  plan() {
    const named = ({ key, image, bytes }) => ({ key, image, bytes });
    const groups = [];
    for (const group of this.list) {
      if (!this.takesPart(group) || !group.files.some((file) => this.goes(file))) continue;
      const by = { keep: [], stay: [], trash: [], link: [] };
      for (const file of group.files) by[this.doOf(group, file)].push(file);
      // Of a file that merely stays nothing is promised, unless it is all that is left.
      const keep = by.keep.length ? by.keep : by.stay;
      groups.push({ keep: keep.map(named), trash: by.trash.map(named), link: by.link.map(named) });
    }
    return groups;
  }

  /** Take files out of the list, as those that are gone; a group of one is none. */
  drop(keys) {
    for (const key of keys) this.decided.delete(key);
    this.list = this.list.map((group) => ({
      ...group, files: group.files.filter((file) => !keys.has(file.key)),
    })).filter(({ files }) => files.length > 1);
    this.changed(true);
  }
}

function made(group) {
  return { ...group, id: `${group.files[0].key} ${group.files.length}` };
}

/** Return the contents of a group, each once. */
export function imagesOf(group) {
  return [...new Set(group.files.map(({ image }) => image))];
}
