// Names of files as they are shown. They are strangers' words: whatever is hidden in them is shown.

import { h } from "./dom.js";
import { t } from "./i18n.js";
import { notify } from "./notices.js";

/** Controls, marks of direction, and what has no width; the spaces here are harmless. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Return a text in which nothing is hidden: `a\u202egpj.exe`. */
export function visible(text) {
  return text.replace(HIDDEN, (character) => {
    const code = character.codePointAt(0);
    return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** Return a path's last part. */
export function nameOf(path) {
  return visible(path.slice(path.lastIndexOf("/") + 1));
}

/** Return the folder of a path, from the name of the watched folder on: `Pictures/2019`. */
export function folderOf(path, roots = knownRoots) {
  const folder = path.slice(0, Math.max(path.lastIndexOf("/"), 1));
  const root = roots.find((each) => folder === each || folder.startsWith(`${each}/`));
  return visible(root ? folder.slice(root.lastIndexOf("/") + 1) : folder);
}

let knownRoots = [];

/** Take the watched folders, which long paths are shortened by. */
export function knowRoots(documents) {
  knownRoots = documents.map((root) => root.path.replace(/\/+$/, ""));
}

/** Make the name and, smaller, the folder of a path; the whole path when it is pointed at. */
export function pathLabel(path) {
  return h("span", { class: "path", title: visible(path) },
    h("bdi", { class: "path-name" }, nameOf(path)),
    h("bdi", { class: "path-folder" }, folderOf(path)));
}

/** Put a path on the clipboard, and say so. */
export async function copyPath(file) {
  const done = await copyText(file.path);
  const text = done ? (file.path_base64 ? "copied.nearly" : "copied") : "copied.not";
  notify(() => t(text, { path: nameOf(file.path) }), { kind: done ? "" : "error" });
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** Copy where the clipboard is closed to pages, as it is without HTTPS and beyond loopback. */
function copyBySelection(text) {
  const field = h("textarea", { class: "unseen", value: text, "aria-hidden": "true" });
  const place = document.querySelector("dialog[open]") ?? document.body;
  const focused = document.activeElement;
  place.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  focused?.focus?.();
  return done;
}
