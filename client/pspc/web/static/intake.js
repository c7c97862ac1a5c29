// Ways in for a picture: dropped or pasted anywhere on the page, chosen, or named by an address.

import { h } from "./dom.js";
import { say, t } from "./i18n.js";
import { icon } from "./icons.js";
import { isTyping } from "./keys.js";
import { notify } from "./notices.js";

/** As the gateway has it. */
const LARGEST = 64 * 1024 * 1024;

let take = () => null;

/** Begin to take what is dropped or pasted. `taker` is called with {blobs} or {url}. */
export function startIntake(taker) {
  take = taker;
  startDropping();
  document.addEventListener("paste", (event) => {
    if (document.querySelector("dialog[open]")) return;
    const blobs = filesOf(event.clipboardData);
    if (blobs.length) {
      event.preventDefault();
      offer(blobs);
    } else if (!isTyping(event.target)) {
      offerText(event.clipboardData.getData("text/plain"));
    }
  });
}

/** Make the button and the field by which a picture is chosen. */
export function intakeForm() {
  const input = h("input", {
    type: "file", multiple: true, class: "unseen", tabindex: "-1", "aria-hidden": "true",
    onchange: () => {
      offer([...input.files]);
      input.value = "";
    },
  });
  const choose = h("button", { type: "button", class: "button primary choose",
    onclick: () => input.click() }, icon("upload"), say("intake.choose"));
  const field = h("input", { type: "url", name: "url", class: "field", required: true,
    placeholder: "https://", autocomplete: "off", spellcheck: "false",
    "aria-label": say("intake.url") });
  const send = (event) => {
    event.preventDefault();
    offerText(field.value);
  };
  const form = h("form", { class: "url-form", onsubmit: send, novalidate: true },
    field, h("button", { type: "submit", class: "button" }, icon("link"), say("intake.go")));
  return h("div", { class: "intake" }, choose, input, form);
}

function filesOf(transfer) {
  return [...(transfer?.files ?? [])];
}

function offer(files) {
  const small = files.filter((file) => file.size <= LARGEST);
  for (const file of files) {
    if (file.size > LARGEST) {
      notify(() => t("intake.large", { name: file.name }), { kind: "error" });
    }
  }
  if (small.length) take({ blobs: small });
}

function offerText(text) {
  const url = text.trim().split("\n", 1)[0];
  if (/^https?:\/\/\S+$/i.test(url)) take({ url });
  else notify(say("intake.no_url"), { kind: "error" });
}

function startDropping() {
  const veil = h("div", { class: "drop-veil", hidden: true },
    h("p", {}, icon("picture"), say("intake.drop_here")));
  document.body.append(veil);
  // Each element that is entered tells so before the one that is left does.
  let depth = 0;
  const show = (wanted) => {
    depth = wanted;
    veil.hidden = depth === 0;
  };
  const takes = ({ dataTransfer }) =>
    dataTransfer?.types.some((type) => type === "Files" || type === "text/uri-list");
  // Behind a dialog nothing would be seen of it.
  const isClosed = () => document.querySelector("dialog[open]") !== null;
  document.addEventListener("dragenter", (event) => {
    if (takes(event) && !isClosed()) show(depth + 1);
  });
  document.addEventListener("dragleave", (event) => {
    if (takes(event)) show(Math.max(0, depth - 1));
  });
  document.addEventListener("dragover", (event) => {
    if (!takes(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = isClosed() ? "none" : "copy";
  });
  document.addEventListener("drop", (event) => {
    show(0);
    if (!takes(event)) return;
    // Otherwise the browser would leave the page for the file.
    event.preventDefault();
    if (isClosed()) return;
    const files = filesOf(event.dataTransfer);
    if (files.length) offer(files);
    else offerText(event.dataTransfer.getData("text/uri-list").replace(/^#.*\n/gm, ""));
  });
}
