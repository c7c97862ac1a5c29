// What is searched with, and what was found: by hashes first, then by the closer look.
//
//     blob, URL, kept query or indexed picture ──▶ Query ──▶ fast answer ──▶ full answer

import * as api from "./api.js";
import { recall, remember } from "./storage.js";

/** The gateway keeps as many. */
export const MOST_KEPT = 8;

/** Seconds of a closer look by somebody who wants to know. */
const PATIENCE = 20;

const queries = [];
const listeners = new Set();
const wishers = new Set();

/** Hear that a query, or the list of them, has changed. */
export function onQuery(listener) {
  listeners.add(listener);
}

function changed(query) {
  for (const listener of listeners) listener(query);
}

/** Return the last queries, the newest first. */
export function recentQueries() {
  return queries;
}

/** Return the query of an image, if it is one of the last. */
export function queryOf(image) {
  return queries.find((query) => query.image === image);
}

/** What a search is to find, beside what it is made with; kept for the next visit. */
export const wishes = {
  mode: recall("mode", "both"),
  alike: recall("alike", "") === "1",
  distance: recall("distance", "") === "" ? null : Number(recall("distance", "")),

  /** Change some of them. */
  change(values) {
    Object.assign(this, values);
    remember("mode", this.mode);
    remember("alike", this.alike ? "1" : null);
    remember("distance", this.distance === null ? null : String(this.distance));
    for (const listener of wishers) listener();
  },

  /** Return them as they are now. */
  get now() {
    return { mode: this.mode, alike: this.alike, distance: this.distance };
  },
};

/** Hear of each change of the wishes. */
export function onWishes(listener) {
  wishers.add(listener);
}

export class Query {
  /** Take a source, {blob}, {url}, {kept} or {indexed}, and what to call it. */
  constructor(source, name) {
    this.source = source;
    this.name = name;
    this.image = source.kept ?? source.indexed ?? null;
    /** Its digest and size, whatever part of it is searched with; null while nobody knows. */
    this.whole = null;
    /** What else is known of the whole picture. */
    this.facts = null;
    this.crop = null;
    /** The wishes that its answer follows. */
    this.wished = null;
    this.isForgotten = false;
    this.state = "waiting";
    this.answer = null;
    this.error = null;
    this.early = new Set();
    this.preview = source.blob ? URL.createObjectURL(source.blob) : null;
    this.abort = new AbortController();
    queries.unshift(this);
    for (const old of queries.splice(MOST_KEPT)) old.forget();
    changed(this);
  }

  /** Return where its picture is; null while nobody knows. */
  get address() {
    if (this.source.indexed) return api.thumbnailAddress(this.image, 1024);
    return this.image ? api.queryAddress(this.image) : this.preview;
  }

  /** Return where a small picture of it is; null while nobody knows. */
  get icon() {
    if (this.source.indexed) return api.thumbnailAddress(this.image, 128);
    return this.preview ?? (this.image ? api.queryAddress(this.image, 128) : null);
  }

  /** Say whether something is still to come. */
  get isBusy() {
    return ["waiting", "searching", "closer"].includes(this.state);
  }

  /** Say whether more is looked for than hashes find: limits of one's own are about these alone. */
  get looksCloser() {
    return this.wished === null || (this.wished.mode === "both" && this.wished.distance === null);
  }

  /** Say whether it was searched with by other wishes than are held now. */
  get isOutdated() {
    const { wished } = this;
    return wished !== null && Object.entries(wishes.now).some(([name, value]) => wished[name] !== value);
  }

  /** Search, with a part of it if `crop` says so; what was under way is broken off. */
  async search(crop = this.crop, budget = null) {
    if (this.isForgotten) return;
    this.abort.abort();
    this.abort = new AbortController();
    const { signal } = this.abort;
    this.crop = crop;
    this.wished = wishes.now;
    try {
      // What was found before stays, dimmed, until there is something new.
      this.become("searching", { error: null });
      const fast = await this.ask("fast", signal);
      if (signal.aborted) return;
      this.know(fast);
      this.early = new Set(fast.hits.map((hit) => hit.key));
      this.become("closer", { answer: fast });
      const full = await this.ask("full", signal, budget);
      if (!signal.aborted) this.become("done", { answer: full });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof api.ApiError)) throw error;
      // What hashes have found is true whatever became of the closer look.
      if (this.state === "closer") this.become("cut", { error });
      else this.become("failed", { error, answer: null });
    }
  }

  /** Search once more, as after the daemon came back. */
  again() {
    return this.search();
  }

  /** Search once more, and take time for the closer look. */
  longer() {
    return this.search(this.crop, PATIENCE);
  }

  /** Note which picture it is: of a part, the answer tells of the part. */
  know({ whole, query }) {
    this.image = whole.image;
    this.whole = whole;
    if (!this.crop) this.facts = query;
  }

  forget() {
    this.isForgotten = true;
    this.abort.abort();
    if (this.preview) URL.revokeObjectURL(this.preview);
  }

  become(state, values) {
    Object.assign(this, values);
    this.state = state;
    changed(this);
  }

  async ask(effort, signal, budget = null) {
    const { mode, distance, alike } = this.wished;
    const asked = {
      mode,
      distance,
      alike: alike ? 1 : null,
      crop: this.crop?.join(",") ?? null,
      effort,
      budget,
    };
    const { blob, url, indexed } = this.source;
    if (indexed) return api.searchIndexed(indexed, asked, signal);
    if (this.image) {
      try {
        return await api.searchKept(this.image, asked, signal);
      } catch (error) {
        if (error.code !== "query") throw error;
        // The gateway has made room for others; what this page has, it can send again.
        if (!(blob || url)) return this.askIndexed(asked, signal, error);
      }
    }
    return blob ? api.search(blob, asked, signal) : api.searchUrl(url, asked, signal);
  }

  /** Ask with what only an address names: no query that is kept, but maybe a picture of the index. */
  async askIndexed(asked, signal, forgotten) {
    try {
      const found = await api.searchIndexed(this.image, asked, signal);
      this.source = { indexed: this.image };
      return found;
    } catch (error) {
      throw error.code === "bad_request" ? forgotten : error;
    }
  }
}
