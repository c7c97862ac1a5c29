// What is searched with, and what was found: by hashes first, then by the closer look.
//
//     blob, URL, kept query or indexed picture ──▶ Query ──▶ fast answer ──▶ full answer

import * as api from "./api.js";
import { recall, remember } from "./storage.js";

/** The gateway keeps as many. */
const MOST_KEPT = 8;

/** Seconds of a closer look by somebody who wants to know. */
const PATIENCE = 20;

const queries = [];
const listeners = new Set();

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
  },
};

export class Query {
  /** Take a source, {blob}, {url}, {kept} or {indexed}, and what to call it. */
  constructor(source, name) {
    this.source = source;
    this.name = name;
    this.image = source.kept ?? source.indexed ?? null;
    this.crop = null;
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

  /** Search, with a part of it if `crop` says so; what was under way is broken off. */
  async search(crop = this.crop, budget = null) {
    this.abort.abort();
    this.abort = new AbortController();
    const { signal } = this.abort;
    this.crop = crop;
    try {
      // What was found before stays, dimmed, until there is something new.
      this.become("searching", { error: null });
      const fast = await this.ask("fast", signal);
      this.image = fast.query.image;
      this.early = new Set(fast.hits.map((hit) => hit.key));
      this.become("closer", { answer: fast });
      this.become("done", { answer: await this.ask("full", signal, budget) });
    } catch (error) {
      if (error.name === "AbortError") return;
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

  forget() {
    this.abort.abort();
    if (this.preview) URL.revokeObjectURL(this.preview);
  }

  become(state, values) {
    Object.assign(this, values);
    this.state = state;
    changed(this);
  }

  async ask(effort, signal, budget = null) {
    const asked = {
      mode: wishes.mode,
      distance: wishes.distance,
      alike: wishes.alike ? 1 : null,
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
        // The gateway has made room for others; what this page has, it can send again.
        if (error.code !== "query" || !(blob || url)) throw error;
      }
    }
    return blob ? api.search(blob, asked, signal) : api.searchUrl(url, asked, signal);
  }
}

/** Make a query of what only an address names: a kept one, or else a picture of the index. */
export async function queryFromAddress(image, crop) {
  const kept = new Query({ kept: image }, "");
  await kept.search(crop);
  if (kept.state !== "failed" || kept.error.code !== "query") return kept;
  queries.splice(queries.indexOf(kept), 1);
  const indexed = new Query({ indexed: image }, "");
  await indexed.search(crop);
  return indexed;
}
