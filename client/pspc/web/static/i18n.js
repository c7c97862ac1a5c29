// Texts in the reader's language: a key and its values → a sentence. All texts are in texts/*.json.
//
// A text may have forms by number, {"one": …, "other": …}, which `count` chooses among.

import { sayAnew } from "./dom.js";
import { recall, remember } from "./storage.js";

/** What each language calls itself. */
export const LANGUAGES = { en: "English", "zh-CN": "简体中文" };

const FALLBACK = "en";

let language = FALLBACK;

/** The language as it is spoken where the reader is, which has its own way with dates. */
let locale = FALLBACK;
let texts = {};
let numbers = new Intl.NumberFormat(FALLBACK);
let plurals = new Intl.PluralRules(FALLBACK);

/** How many languages were asked for, for the last one wins, whichever comes last. */
let asked = 0;

/** Load the language that was chosen before, or that the browser prefers; false when none came. */
export async function startLanguage() {
  return await load(recall("language", preferred())) || load(FALLBACK);
}

/** Change to another language, and say everything anew; false when its texts did not come. */
export async function useLanguage(name) {
  asked += 1;
  const turn = asked;
  if (!await load(name, () => turn === asked)) return turn !== asked;
  remember("language", name);
  sayAnew();
  return true;
}

/** Return the language in use. */
export function currentLanguage() {
  return language;
}

/** Say a text; a key without one is shown as it is, so that nothing is hidden. */
export function t(key, values = {}) {
  const found = texts[key];
  if (found === undefined) return key;
  const text = typeof found === "string" ? found : found[plurals.select(values.count)] ?? found.other;
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? number(value) : value;
  });
}

/** Say whether there is a text of that key. */
export function hasText(key) {
  return key in texts;
}

/** Return a text that follows the language: what `dom.js` calls live. */
export function say(key, values = {}) {
  return () => t(key, values);
}

/** Write a number: `12,345`. */
export function number(value) {
  return numbers.format(value);
}

/** Write a number with few digits: `0.3`, `12`. */
export function rough(value) {
  return new Intl.NumberFormat(locale, { maximumSignificantDigits: 2 }).format(value);
}

/** Write a share of one: `39%`. */
export function percent(share) {
  const digits = share > 0 && share < 0.1 ? 1 : 0;
  return new Intl.NumberFormat(locale, {
    style: "percent",
    maximumFractionDigits: digits,
  }).format(share);
}

/** Write a size as people read it: `1.2 MiB`, `344 KiB`. */
export function bytes(size) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (Math.abs(size) >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || size >= 100 ? 0 : 1;
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return `${new Intl.NumberFormat(locale, format).format(size)} ${units[unit]}`;
}

/** Write width and height: `640 × 480`, with narrow spaces. */
export function pixels(width, height) {
  return `${width}\u202f×\u202f${height}`;
}

/** Write an ISO 8601 moment as the clock here shows it. */
export function moment(iso) {
  const when = new Date(iso);
  if (Number.isNaN(when.getTime())) return iso;
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(when);
}

/** Write how long something takes, roughly: `3 minutes`. */
export function duration(seconds) {
  const [count, unit] = amount(seconds);
  return new Intl.NumberFormat(locale, {
    style: "unit",
    unit,
    unitDisplay: "long",
    maximumFractionDigits: 0,
  }).format(count);
}

function amount(seconds) {
  if (seconds < 90) return [Math.max(1, Math.round(seconds)), "second"];
  if (seconds < 5400) return [Math.round(seconds / 60), "minute"];
  if (seconds < 172800) return [Math.round(seconds / 3600), "hour"];
  return [Math.round(seconds / 86400), "day"];
}

function wantedLanguages() {
  return navigator.languages ?? [navigator.language];
}

function preferred() {
  for (const each of wantedLanguages()) {
    if (each.toLowerCase().startsWith("zh")) return "zh-CN";
    if (each.toLowerCase().startsWith("en")) return "en";
  }
  return FALLBACK;
}

/** Load a language, and take it if it is still wanted; returns whether it was taken. */
async function load(name, isWanted = () => true) {
  const known = name in LANGUAGES ? name : FALLBACK;
  let found;
  try {
    const response = await fetch(`/static/texts/${known}.json`);
    if (!response.ok) return false;
    found = await response.json();
  } catch {
    return false;
  }
  if (!isWanted()) return false;
  texts = found;
  language = known;
  locale = wantedLanguages().find((each) => each.startsWith(known)) ?? known;
  numbers = new Intl.NumberFormat(locale);
  plurals = new Intl.PluralRules(known);
  document.documentElement.lang = known;
  return true;
}
