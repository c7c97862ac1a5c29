// Pictures that a person said are no copies of each other: said, listed, and taken back.

import * as api from "./api.js";
import { fill, h } from "./dom.js";
import { moment, say, t } from "./i18n.js";
import { icon } from "./icons.js";
import { openDialog } from "./dialogs.js";
import { errorText, notify, notifyError } from "./notices.js";
import { pathLabel } from "./paths.js";
import { release, thumbnail } from "./thumbnails.js";

/** Pairs that are shown at a time. */
const PAGE = 50;

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
  notify(say("distinct.said"), { action: { text: say("undo"), does: forget } });
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
  const rows = h("ul", { class: "pair-list" });
  const more = h("button", { type: "button", class: "button", onclick: () => show() },
    () => t("list.more", { count: Math.min(PAGE, pairs.length - shown) }));
  let shown = 0;
  const show = () => {
    for (const pair of pairs.slice(shown, shown + PAGE)) rows.append(row(pair, forgotten));
    shown = Math.min(pairs.length, shown + PAGE);
    more.hidden = shown === pairs.length;
  };
  show();
  return [rows, more];
}

function row(pair, forgotten) {
  const item = h("li", { class: "pair" });
  const forget = async () => {
    try {
      await api.forgetDistinct([pair.first, pair.second]);
      release(item);
      item.remove();
      forgotten();
    } catch (error) {
      notifyError(error);
    }
  };
  const side = (image, files) => h("div", { class: "pair-side" },
    h("span", { class: "frame" }, thumbnail(image, "", 128)),
    files.length ? pathLabel(files[0].path) : h("span", { class: "hint" }, say("distinct.gone")));
  item.append(side(pair.first, pair.first_files), side(pair.second, pair.second_files),
    h("div", { class: "pair-end" }, h("small", {}, () => moment(pair.when)),
      h("button", { type: "button", class: "button small", onclick: forget }, say("distinct.forget"))));
  return item;
}
