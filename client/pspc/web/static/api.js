// The gateway's routes as functions. What goes wrong is an ApiError, with the sentence to show.

import { hasText, t } from "./i18n.js";

const ROOT = "/api/v1/";

/** A page of the failures or the groups. */
const PAGE = 500;

let token = document.querySelector('meta[name="psp-token"]').content;

/** What the gateway, or the daemon behind it, refused. */
export class ApiError extends Error {
  /** Take the parts of the error's document. */
  constructor(code, message, reason = "", status = 0) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.status = status;
  }

  /** Say it in the reader's language, where there is a text; otherwise it is the API's sentence. */
  get sentence() {
    for (const key of [`error.${this.code}.${this.reason}`, `error.${this.code}`]) {
      if (hasText(key)) return t(key, { message: this.message });
    }
    return this.message;
  }

  /** Return the API's own sentence where `sentence` says it otherwise; empty where not. */
  get detail() {
    return this.sentence.includes(this.message) ? "" : this.message;
  }
}

const listeners = new Set();

/** Hear of each error, or null and the path when there is none: no daemon, no session, or again. */
export function onApiError(listener) {
  listeners.add(listener);
}

export const status = (signal) => get("status", {}, signal);
export const roots = () => get("roots");
export const addRoot = (root) => post("roots", root);
export const removeRoot = (root) => post("roots/remove", known(root));
export const pauseRoot = (root) => post("roots/pause", known(root));
export const resumeRoot = (root) => post("roots/resume", known(root));
export const failures = (after) => get("failures", { after, limit: PAGE });
export const models = () => get("models");
export const changeModel = (action, name) => post("models", { action, name });
export const distances = () => get("distances");
export const startDaemon = () => post("daemon/start", {});

/** Search with bytes: of a file, or of the clipboard. */
export function search(blob, wishes, signal) {
  const kind = blob.type.startsWith("image/") ? blob.type : "application/octet-stream";
  return call("POST", `search${query(wishes)}`, blob, kind, signal);
}

/** Search with what an address leads to; the gateway fetches it. */
export const searchUrl = (url, wishes, signal) => post(`search/url${query(wishes)}`, { url }, signal);

/** Search once more with bytes that the gateway has kept. */
export const searchKept = (image, wishes, signal) =>
  post(`queries/${image}/search${query(wishes)}`, {}, signal);

/** Search with a picture of the index. */
export const searchIndexed = (image, wishes, signal) =>
  post(`pictures/${image}/search${query(wishes)}`, {}, signal);

export const picture = (image, signal) => get(`pictures/${image}`, {}, signal);
export const showInFolder = (image, key) => post(`pictures/${image}/show`, { key });
export const compare = (first, second, signal) => get("compare", { first, second }, signal);

/** Return where a picture of the index is drawn, its longer side of at most so many pixels. */
export const thumbnailAddress = (image, size) => `${ROOT}pictures/${image}/thumbnail?size=${size}`;

/** Return where a query that the gateway has kept is drawn. */
export const queryAddress = (image, size = 1024) => `${ROOT}queries/${image}/picture?size=${size}`;

/** Return where the pixels of a part of a picture of the index are drawn. */
export const detailAddress = (image, part) => `${ROOT}pictures/${image}/detail?${partOf(part)}`;

/** Return where those of a query that the gateway has kept are drawn. */
export const queryDetailAddress = (image, part) => `${ROOT}queries/${image}/detail?${partOf(part)}`;

const partOf = ({ left, top, width, height }) => `part=${[left, top, width, height].join()}`;

export const eventsAddress = `${ROOT}events`;

export const duplicates = (wishes, after, signal) =>
  get("duplicates", { ...wishes, after, limit: PAGE }, signal);
export const rules = () => get("rules");
export const act = (groups, isDry = false) => post("acts", { groups, dry_run: isDry });
export const actState = (number) => get(`acts/${number}`);
export const acts = () => get("acts");
export const undo = (number) => post("acts/undo", { act: number });
export const markDistinct = (images) => post("distinct", { images });
export const distinct = () => get("distinct");
export const forgetDistinct = (images) => post("distinct/forget", { images });

/** Name a watched folder, whose path need not be text. */
function known({ path, path_base64: exact = "" }) {
  return { path, path_base64: exact };
}

function get(path, values = {}, signal = undefined) {
  return call("GET", path + query(values), undefined, undefined, signal);
}

function post(path, document, signal = undefined) {
  return call("POST", path, JSON.stringify(document), "application/json", signal);
}

function query(values) {
  const wanted = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
  return wanted.length ? `?${new URLSearchParams(wanted)}` : "";
}

async function call(method, path, body, kind, signal) {
  let response = await send(method, path, body, kind, signal);
  if (response.status === 401 && await hasOtherToken()) {
    response = await send(method, path, body, kind, signal);
  }
  if (!response.ok) throw told(await errorOf(response));
  const document = await read(response);
  for (const listener of listeners) listener(null, path);
  return document;
}

async function read(response) {
  try {
    return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    // It was cut off, or is none of the gateway's.
    throw told(new ApiError("gateway", t("error.gateway")));
  }
}

async function send(method, path, body, kind, signal) {
  const headers = { "X-PSP-Token": token };
  if (kind) headers["Content-Type"] = kind;
  try {
    return await fetch(ROOT + path, { method, headers, body, signal, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw told(new ApiError("gateway", t("error.gateway")));
  }
}

/** Look whether this browser has been let in anew, in another tab, and take that session's token. */
async function hasOtherToken() {
  const before = token;
  try {
    const page = await fetch("/", { cache: "no-store" });
    token = /name="psp-token" content="([^"]+)"/.exec(await page.text())?.[1] ?? token;
  } catch {
    // Then there is nobody to let anybody in.
  }
  return token !== before;
}

async function errorOf(response) {
  try {
    const { error } = await response.json();
    return new ApiError(error.code, error.message, error.reason, response.status);
  } catch {
    return new ApiError(`http_${response.status}`, response.statusText, "", response.status);
  }
}

function told(error) {
  for (const listener of listeners) listener(error);
  return error;
}
