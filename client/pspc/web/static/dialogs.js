// Dialogs: the browser's own, which keep the focus inside and give it back.

import { h } from "./dom.js";
import { say } from "./i18n.js";
import { icon } from "./icons.js";
import { placeNotices } from "./notices.js";

let count = 0;

/**
 * Open a dialog.
 *
 * `title` is a live text, `body` what is shown, `actions` buttons for its foot, `kind` a class.
 * Returns the element; closing it removes it.
 */
export function openDialog({ title, body, actions = [], kind = "", closed = () => null }) {
  count += 1;
  const id = `dialog-${count}`;
  const dialog = h("dialog", { class: `dialog ${kind}`, "aria-labelledby": id });
  const shut = () => dialog.close();
  dialog.append(
    h("header", { class: "dialog-head" },
      h("h2", { id, tabindex: "-1" }, title),
      h("button", { type: "button", class: "button quiet square", "aria-label": say("close"),
        onclick: shut }, icon("close"))),
    h("div", { class: "dialog-body" }, body),
  );
  if (actions.length) dialog.append(h("footer", { class: "dialog-foot" }, ...actions));
  // A press that began inside, as when a text is marked, closes nothing.
  let pressed = null;
  dialog.addEventListener("pointerdown", (event) => {
    pressed = event.target;
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog && pressed === dialog) shut();
  });
  dialog.addEventListener("close", () => {
    placeNotices();
    dialog.remove();
    closed();
  });
  document.body.append(dialog);
  dialog.showModal();
  placeNotices(dialog);
  const first = dialog.querySelector("[autofocus]") ?? dialog.querySelector("h2");
  first.focus();
  return dialog;
}

/** Ask before something is done; resolves to whether it shall be. */
export function ask({ title, text, action, isDanger = false }) {
  return new Promise((resolve) => {
    let answer = false;
    const dialog = openDialog({
      title,
      kind: "small",
      body: h("p", {}, text),
      actions: [
        h("button", { type: "button", class: "button", onclick: () => dialog.close() },
          say("cancel")),
        h("button", {
          type: "button",
          class: `button ${isDanger ? "danger" : "primary"}`,
          autofocus: true,
          onclick: () => {
            answer = true;
            dialog.close();
          },
        }, action),
      ],
      closed: () => resolve(answer),
    });
  });
}
