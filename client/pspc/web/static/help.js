// The list of keys, and the switch that takes single letters away.

import { h } from "./dom.js";
import { openDialog } from "./dialogs.js";
import { say } from "./i18n.js";
import { areKeysOn, keyGroups, switchKeys } from "./keys.js";

const SIGNS = {
  ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", " ": "␣", Escape: "Esc", Enter: "↵",
};

/** Open the list. */
export function openHelp() {
  const on = h("input", { type: "checkbox", checked: areKeysOn(), onchange: () => switchKeys(on.checked) });
  openDialog({
    title: say("help"),
    kind: "wide",
    body: [
      h("label", { class: "choice" }, on, h("span", {}, say("help.on"))),
      h("div", { class: "key-groups" }, keyGroups().map(({ title, keys }) => h("section", {},
        h("h3", {}, say(title)),
        h("dl", {}, merged(keys).map(({ keys: names, text }) =>
          h("div", {}, h("dt", {}, names.map(drawKey)), h("dd", {}, say(text)))))))),
    ],
  });
}

function drawKey(name) {
  return name.split(" ").length > 1 && name.trim() !== ""
    ? name.split(" ").map((each) => h("kbd", {}, each)) : h("kbd", {}, SIGNS[name] ?? name);
}

/** Put keys together that do the same, as the four arrows. */
function merged(keys) {
  const found = new Map();
  for (const { keys: names, text } of keys) found.set(text, [...(found.get(text) ?? []), ...names]);
  return [...found].map(([text, names]) => ({ text, keys: names }));
}
