// What concerns the whole page: no daemon, no gateway, no session. It goes by itself when that ends.

import * as api from "./api.js";
import { fill, h } from "./dom.js";
import { on, tellDaemon } from "./events.js";
import { say, t } from "./i18n.js";
import { icon } from "./icons.js";
import { notifyError } from "./notices.js";
import { visible } from "./paths.js";

const TRY_AGAIN = 2000;

/** What the gateway answers by itself. */
const WITHOUT_DAEMON = /^(acts|rules|daemon)/;

let state = "";
let timer = 0;

const place = h("div", { class: "banner", role: "alert", hidden: true });

/** Begin to listen; returns the element. */
export function startBanner() {
  on("daemon", ({ state: daemon, message }) => {
    if (daemon === "down") show("daemon", message);
    else if (state === "daemon") show("");
  });
  api.onApiError((error, path) => {
    if (error === null) {
      if (state === "gateway" || state === "session") show("");
      else if (state === "daemon" && !WITHOUT_DAEMON.test(path)) tellDaemon("up");
    } else if (error.status === 401) {
      show("session");
    } else if (error.code === "gateway") {
      show("gateway");
    } else if (error.code === "daemon" || error.code === "stopping") {
      tellDaemon("down", error.message);
    }
  });
  return place;
}

function show(wanted, message = "") {
  if (wanted === state) return;
  state = wanted;
  place.hidden = wanted === "";
  clearInterval(timer);
  if (wanted === "") {
    fill(place);
    return;
  }
  if (wanted === "gateway") timer = setInterval(() => api.acts().catch(() => null), TRY_AGAIN);
  const start = h("button", { type: "button", class: "button", onclick: () => startDaemon(start) },
    say("banner.start"));
  fill(place, icon("warning"), h("div", {}, h("strong", {}, say(`banner.${wanted}`)), " ",
    h("span", {}, () => t(`banner.${wanted}.how`, { message: visible(message) }))),
  wanted === "daemon" ? start : null);
}

async function startDaemon(button) {
  button.disabled = true;
  try {
    await api.startDaemon();
    tellDaemon("up");
  } catch (error) {
    notifyError(error);
  }
  button.disabled = false;
}
