// Short messages at the lower edge. Errors are read out at once, other things when there is a pause.

import { append, h } from "./dom.js";
import { say } from "./i18n.js";
import { icon } from "./icons.js";
import { ApiError } from "./api.js";

const SHOWN_FOR = 7000;

/** One with a button: whoever wants to press it has to read it, and to get there. */
const OFFERED_FOR = 20_000;

const polite = h("div", { class: "notices", role: "status", "aria-live": "polite" });
const urgent = h("div", { class: "notices", role: "alert" });
const spoken = h("p", { class: "unseen", role: "status", "aria-live": "polite" });

const place = h("div", { class: "notice-place" }, urgent, polite, spoken);

/** Put the messages where they can be seen: into the open dialog, for all else lies behind it. */
export function placeNotices(host = document.body) {
  if (place.parentElement !== host) host.append(place);
}

/** Show a message for some seconds, longer with a button; one that stays does until it is closed. */
export function notify(text, { kind = "", action = null, stays = false } = {}) {
  const box = h("div", { class: `notice ${kind}` });
  const shut = () => box.remove();
  const fade = () => {
    // Not under somebody's hand.
    if (box.matches(":hover, :focus-within")) setTimeout(fade, SHOWN_FOR);
    else shut();
  };
  append(box, h("div", { class: "notice-text" }, text));
  if (action) {
    const act = () => {
      shut();
      action.does();
    };
    box.append(h("button", { type: "button", class: "button small", onclick: act }, action.text));
  }
  box.append(h("button", { type: "button", class: "button quiet square small",
    "aria-label": say("close"), onclick: shut }, icon("close")));
  (kind === "error" ? urgent : polite).append(box);
  if (!stays) setTimeout(fade, action ? OFFERED_FOR : SHOWN_FOR);
  return shut;
}

/** Show what went wrong; what somebody broke off is nothing wrong. */
export function notifyError(error) {
  if (error.name === "AbortError") return;
  if (!(error instanceof ApiError)) throw error;
  // The banner tells of these for as long as they last.
  if (error.code === "daemon" || error.code === "gateway" || error.status === 401) return;
  notify(errorText(error), { kind: "error" });
}

/** Make what is shown of an error: its sentence, and the API's own where that is another one. */
export function errorText(error) {
  return h("span", {}, h("span", {}, () => error.sentence), () => (error.detail ? " " : ""),
    h("small", { class: "error-detail" }, () => error.detail));
}

/** Have a screen reader say something that everybody else sees. */
export function speak(text) {
  spoken.textContent = text;
}
