// Pictures that a person said are no copies of each other: said, listed, and taken back.

import * as api from "./api.js";
import { fill, h } from "./dom.js";
import { moment, say, t } from "./i18n.js";
import { icon } from "./icons.js";
import { openDialog } from "./dialogs.js";
import { errorText, notify, notifyError } from "./notices.js";
import { pathLabel } from "./paths.js";
import { release, thumbnail } from "./thumbnails.js";

/** Entries that are shown at a time. */
const PAGE = 50;

/** Takes the last notice away. */
let shutLast = () => null;

/** Say that some images are no copies of each other; offers to take that back. */
export async function sayDistinct(images, back) {
  try {
    await api.markDistinct(images);
  } catch (error) {
    notifyError(error);
    return false;
  }
  const forget = async () => {
    try {
      await api.forgetDistinct(images);
      back();
    } catch (error) {
      notifyError(error);
    }
  };
  // Of several the last one can be taken back at once; all are listed.
  shutLast();
  shutLast = notify(say("distinct.said"), { action: { text: say("undo"), does: forget } });
  return true;
}

/** List the pairs; `forgotten` is called when something was taken back. */
export function openDistinct(forgotten) {
  const body = h("div", { class: "pairs" }, h("p", { class: "busy-line" }, h("span", { class: "spinner" })));
  openDialog({ title: say("distinct"), body, kind: "wide", closed: () => release(body) });
  api.distinct().then(({ pairs }) => {
    if (pairs.length) fill(body, h("p", { class: "hint" }, say("distinct.how")), list(pairs, forgotten));
    else fill(body, h("p", { class: "hint" }, say("distinct.none")));
  }).catch((error) => {
    if (!(error instanceof api.ApiError)) throw error;
    fill(body, h("p", { class: "error" }, icon("warning"), errorText(error)));
  });
}

function list(pairs, forgotten) {
  const said = together(pairs);
  const rows = h("ul", { class: "pair-list" });
  let shown = 0;
  const more = h("button", { type: "button", class: "button", onclick: () => show() });
  const show = () => {
    rows.append(...said.slice(shown, shown + PAGE).map((each) => row(each, forgotten)));
    shown = Math.min(said.length, shown + PAGE);
    more.hidden = shown === said.length;
    fill(more, () => t("list.more", { count: Math.min(PAGE, said.length - shown) }));
  };
  show();
  return [rows, more];
}

/** Put pairs together that were said at once: {when, files: image → its files}, the newest first. */
function together(pairs) {
  const found = new Map();
  for (const { when, first, second } of pairs) {
    if (!found.has(when)) found.set(when, { when, files: new Map() });
    found.get(when).files.set(first.image, first.files).set(second.image, second.files);
  }
  return [...found.values()].sort((one, other) => (one.when < other.when ? 1 : -1));
}

function row({ when, files }, forgotten) {
  const item = h("li", { class: "pair" });
  const forget = async () => {
    try {
      await api.forgetDistinct([...files.keys()]);
      release(item);
      item.remove();
      forgotten();
    } catch (error) {
      notifyError(error);
    }
  };
  const sides = [...files].map(([image, paths]) => h("div", { class: "pair-side" },
    h("span", { class: "frame" }, thumbnail(image, "", 128)),
    paths.length ? pathLabel(paths[0].path) : h("span", { class: "hint" }, say("distinct.gone"))));
  item.append(h("div", { class: "pair-sides" }, sides),
    h("div", { class: "pair-end" }, h("small", {}, () => moment(when)),
      h("button", { type: "button", class: "button small", onclick: forget }, say("distinct.forget"))));
  return item;
}
