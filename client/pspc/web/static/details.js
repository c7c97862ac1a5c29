// Everything about one file that was found: the picture, where the query lies in it, its other files.

import * as api from "./api.js";
import { fill, h, svg } from "./dom.js";
import { bytes, moment, pixels, say, t } from "./i18n.js";
import { icon } from "./icons.js";
import { openDialog } from "./dialogs.js";
import { errorText, notifyError } from "./notices.js";
import { copyPath, nameOf, visible } from "./paths.js";
import { drawn } from "./thumbnails.js";
import { VERDICTS, WHOLE, placeWords, turnWords } from "./words.js";

/** Open the details of a file; `does` has `compare` and `search`, each may be missing. */
export function openDetails(file, does) {
  const files = h("div", { class: "detail-files" });
  const tags = h("div", { class: "detail-tags" });
  const facts = h("dl", { class: "detail-facts" });
  const dialog = openDialog({
    title: () => nameOf(file.path),
    kind: "details",
    body: [
      pictureWithPlace(file),
      h("div", { class: "detail-side" }, h("p", { class: "detail-how" }, () => howWords(file)),
        facts, files, tags),
    ],
    actions: actionsOf(file, does, () => dialog.close()),
  });
  fillFacts(facts, file, null);
  fill(files, fileEntry(file, file.image));
  api.picture(file.image).then((picture) => {
    fillFacts(facts, file, picture);
    const entries = picture.files.map((each) => fileEntry(each, file.image));
    fill(files, h("h3", {}, () => t("detail.files", { count: picture.files.length })), entries);
    if (picture.tags.length) fill(tags, tagTable(picture.tags));
  }).catch((error) => {
    if (error instanceof api.ApiError) fill(tags, h("p", { class: "error" }, errorText(error)));
    else throw error;
  });
}

/** Show the folder of a file in the desktop's file manager. */
export async function showInFolder(image, key) {
  try {
    await api.showInFolder(image, key);
  } catch (error) {
    notifyError(error);
  }
}

function actionsOf(file, does, shut) {
  const buttons = [];
  for (const [name, text] of [["compare", "hit.compare"], ["search", "hit.search"]]) {
    if (!does[name]) continue;
    const act = () => {
      shut();
      does[name](file);
    };
    buttons.push(h("button", { type: "button", class: "button", onclick: act }, icon(name), say(text)));
  }
  return buttons;
}

/** Draw the picture, and on it the part that the query is. */
function pictureWithPlace(file) {
  const { width, height } = file;
  const frame = h("div", { class: "detail-picture" },
    drawn(api.thumbnailAddress(file.image, 1024), nameOf(file.path)));
  frame.style.setProperty("--ratio", `${width} / ${height}`);
  if (file.proof && file.proof.indexed_share < WHOLE) {
    const points = file.proof.quadrilateral.map((point) => point.join(",")).join(" ");
    frame.append(svg("svg", { class: "place", viewBox: `0 0 ${width} ${height}`, role: "img",
      "aria-label": () => placeWords(file.proof) }, svg("polygon", { points })));
  }
  return frame;
}

function howWords(file) {
  const words = [];
  if (VERDICTS.includes(file.verdict)) words.push(t(`verdict.${file.verdict}.sentence`));
  // Of a part hashes say nothing.
  const isWhole = (file.proof?.indexed_share ?? 1) >= WHOLE;
  if (isWhole && (file.verdict === "copy" || file.verdict === "alike")) {
    words.push(t("detail.bits", { count: file.distance }));
  }
  if (turnWords(file)) words.push(t("detail.turn", { turn: turnWords(file) }));
  if (file.proof) {
    const place = placeWords(file.proof);
    words.push(place && t("detail.place", { place }), t("detail.proof", { count: file.proof.inliers }));
  }
  return words.filter(Boolean).join(t("list.stop"));
}

function fillFacts(list, file, picture) {
  const rows = [
    ["fact.size", () => pixels(file.width, file.height)],
    ["fact.format", () => file.format],
    ["fact.bytes", () => bytes(file.bytes)],
  ];
  const frames = picture?.frames ?? file.frames ?? 1;
  const channels = picture?.channels ?? file.channels;
  if (frames > 1) rows.push(["fact.frames", () => String(frames)]);
  if (channels) rows.push(["fact.channels", () => t(`channels.${channels}`)]);
  const when = picture?.files.find((each) => each.key === file.key)?.modified;
  if (when) rows.push(["fact.modified", () => moment(when)]);
  fill(list, rows.map(([key, text]) => [h("dt", {}, say(key)), h("dd", {}, text)]));
}

function fileEntry(file, image) {
  const copy = h("button", { type: "button", class: "button small", onclick: () => copyPath(file) },
    icon("clipboard"), say("hit.copy"));
  const show = h("button", { type: "button", class: "button small",
    onclick: () => showInFolder(image, file.key) }, icon("folder"), say("hit.show"));
  return h("div", { class: `detail-file ${file.missing ? "missing" : ""}` },
    h("bdi", { class: "whole-path" }, visible(file.path)),
    file.missing ? h("p", { class: "error" }, say("detail.missing")) : h("p", {}, copy, " ", show));
}

function tagTable(tags) {
  const rows = tags.map(([name, text]) =>
    h("tr", {}, h("th", { scope: "row" }, visible(name)), h("td", {}, h("bdi", {}, visible(text)))));
  return h("details", {}, h("summary", {}, () => t("detail.tags", { count: tags.length })),
    h("table", {}, h("tbody", {}, rows)));
}
