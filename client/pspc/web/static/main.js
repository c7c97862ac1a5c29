// The shell: language, theme, head with the ways to the views, and the view that the address names.

import { startBanner } from "./banner.js";
import { CompareView } from "./compare.js";
import { fill, h, set } from "./dom.js";
import { DuplicatesView } from "./duplicates.js";
import { on, startEvents } from "./events.js";
import { openHelp } from "./help.js";
import { LANGUAGES, currentLanguage, say, startLanguage, t, useLanguage } from "./i18n.js";
import { icon } from "./icons.js";
import { addKeys, startKeys } from "./keys.js";
import { LibraryView } from "./library.js";
import { notify, placeNotices } from "./notices.js";
import { knowRoots } from "./paths.js";
import { roots } from "./api.js";
import { address, onPlace } from "./router.js";
import { SearchView } from "./search.js";
import { recall, remember } from "./storage.js";

const TABS = [["search", "search"], ["duplicates", "copies"], ["library", "library"]];
const THEMES = ["auto", "light", "dark"];
const THEME_ICONS = { auto: "contrast", light: "sun", dark: "moon" };

const views = {};
const links = {};
let shown = null;

/** Where the search was left, to come back to. */
let searched = address("search");

if (await startLanguage()) start();
else document.body.textContent = "This page could not be loaded: load it again. 页面没有载入，请刷新。";

function start() {
  document.body.replaceChildren();
  const main = h("main", { id: "main", tabindex: "-1" });
  document.body.append(
    h("a", { class: "skip", href: "#main", onclick: (event) => {
      event.preventDefault();
      main.focus();
    } }, say("skip")),
    head(), startBanner(), main);
  placeNotices();
  startKeys();
  // The list of keys is in the order of this.
  addKeys("keys.all", () => true, [
    { keys: ["?"], text: "help", does: openHelp },
    ...TABS.map(([view]) => ({
      keys: [`g ${view[0]}`], text: `nav.${view}`, does: () => links[view].click(),
    })),
  ]);
  const makers = { search: SearchView, compare: CompareView, duplicates: DuplicatesView, library: LibraryView };
  for (const [name, View] of Object.entries(makers)) {
    views[name] = new View();
    views[name].place = h("section", { class: "view", id: `view-${name}`, hidden: true,
      "aria-label": say(`nav.${name}`) }, views[name].element);
    main.append(views[name].place);
  }
  // Folders shorten paths; without them paths are only longer.
  roots().then((document) => knowRoots(document.roots)).catch(() => null);
  startEvents();
  onPlace(show);
}

function show(place) {
  const isOther = shown !== place.view;
  const isFirst = shown === null;
  if (isOther && !isFirst) {
    views[shown].leave?.();
    views[shown].left = scrollY;
  }
  if (shown === "search") searched = views.search.address;
  shown = place.view;
  for (const [name, view] of Object.entries(views)) view.place.hidden = name !== shown;
  for (const [name, link] of Object.entries(links)) {
    if (name === shown) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.body.dataset.view = shown;
  links.search.href = shown === "search" ? address("search") : searched;
  nameDocument();
  views[shown].show(place);
  // A page that was just loaded begins with the way to skip its head.
  if (!isOther || isFirst) return;
  // Who went somewhere else begins at its heading; who came back is where he was.
  scrollTo(0, views[shown].left ?? 0);
  const focus = document.activeElement;
  if (!focus || focus === document.body || !focus.isConnected || focus.offsetParent === null) {
    const headings = [...views[shown].place.querySelectorAll("h1")];
    headings.find(({ offsetParent }) => offsetParent)?.focus({ preventScroll: true });
  }
}

function nameDocument() {
  document.title = `${t(`nav.${shown ?? "search"}`)} · PSP`;
}

function head() {
  const tabs = TABS.map(([view, shape]) => {
    links[view] = h("a", { class: "tab", href: address(view) }, icon(shape),
      h("span", {}, say(`nav.${view}`)));
    return links[view];
  });
  const activity = h("span", { class: "activity", hidden: true });
  on("progress", ({ pending }) => {
    activity.hidden = pending === 0;
    fill(activity, h("span", { class: "spinner" }), () => t("nav.pending", { count: pending }));
  });
  return h("header", { class: "top" },
    h("a", { class: "brand", href: address("search"), "aria-label": "PSP" },
      h("img", { src: "/static/icon.svg", alt: "", width: "28", height: "28" }), h("span", {}, "PSP")),
    h("nav", { "aria-label": say("nav") }, tabs), activity,
    h("div", { class: "top-tools" }, languageChoice(), themeButton(),
      h("button", { type: "button", class: "button quiet square", title: () => `${t("help")} (?)`,
        "aria-label": say("help"), onclick: openHelp }, icon("help"))));
}

function languageChoice() {
  const choice = h("select", { class: "field quiet", "aria-label": say("language"), onchange: async () => {
    const isThere = await useLanguage(choice.value);
    if (!isThere) notify(say("error.gateway"), { kind: "error" });
    choice.value = currentLanguage();
    nameDocument();
  } }, Object.entries(LANGUAGES).map(([name, title]) =>
    h("option", { value: name, lang: name, selected: name === currentLanguage() }, title)));
  return choice;
}

function themeButton() {
  const button = h("button", { type: "button", class: "button quiet square" });
  const use = (theme) => {
    remember("theme", theme === "auto" ? null : theme);
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    fill(button, icon(THEME_ICONS[theme]));
    const name = () => t("theme", { theme: t(`theme.${theme}`) });
    for (const attribute of ["title", "aria-label"]) set(button, attribute, name);
    button.dataset.theme = theme;
  };
  button.addEventListener("click", () => {
    use(THEMES[(THEMES.indexOf(button.dataset.theme) + 1) % THEMES.length]);
  });
  use(recall("theme", "auto"));
  return button;
}
