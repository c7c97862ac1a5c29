// Keys of the page, in groups: each group counts while its view is shown. `?` lists them.
//
// Single letters can be switched off, for people whose speech software types them by itself.

import { recall, remember } from "./storage.js";

const PREFIX = "g";
const PREFIX_LASTS = 1200;

const groups = [];
let isOn = recall("keys", "on") === "on";
let prefixed = -Infinity;

/**
 * Add a group of keys.
 *
 * Each is {keys, text, does}: names of keys as events have them, the key of a text, and what to do.
 * Those without `does` are handled by the element that has the focus, and only listed.
 */
export function addKeys(title, isActive, keys) {
  groups.push({ title, isActive, keys });
}

/** Return all groups, for the list of them. */
export function keyGroups() {
  return groups;
}

/** Say whether single letters do something. */
export function areKeysOn() {
  return isOn;
}

/** Switch single letters on or off. */
export function switchKeys(on) {
  isOn = on;
  remember("keys", on ? "on" : "off");
}

/** Begin to listen. */
export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTaken(event) || document.querySelector("dialog[open]")) return;
    if (!isOn && event.key.length === 1) return;
    const name = event.timeStamp - prefixed < PREFIX_LASTS ? `${PREFIX} ${event.key}` : event.key;
    prefixed = event.key === PREFIX ? event.timeStamp : -Infinity;
    const found = find(name);
    if (found && found.does(event) !== false) event.preventDefault();
  });
}

function find(name) {
  for (const group of groups) {
    if (!group.isActive()) continue;
    const found = group.keys.find((each) => each.does && each.keys.includes(name));
    if (found) return found;
  }
  return null;
}

/** Say whether a key belongs to what has the focus. */
function isTaken({ target, key }) {
  if (isTyping(target)) return true;
  if (key === " " || key === "Enter") return Boolean(target.closest?.("button, a, summary, label, input"));
  return key.length > 1 && target.matches?.("input");
}

/** Say whether what has the focus takes letters. */
export function isTyping(element) {
  if (!(element instanceof Element)) return false;
  return element.matches("textarea, select, [contenteditable], input:not([type=checkbox], " +
    "[type=radio], [type=range], [type=button])");
}
