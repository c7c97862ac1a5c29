// What the daemon reports, for all tabs over one connection.
//
// A browser opens six connections to one address for all its tabs, and a stream of events keeps one
// for ever: the seventh tab would load nothing. So of all tabs the one with the lock listens, and
// tells the others. Where there are no locks (no HTTPS and no loopback), each tab asks by the clock.

import { acts, eventsAddress, status } from "./api.js";

const LOCK = "psp-events";
const ASK_EVERY = 3000;
const TRY_AGAIN = 1000;

const listeners = { progress: new Set(), change: new Set(), daemon: new Set() };
const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(LOCK) : null;

/** What was heard last of each kind, for who listens only now, in other tabs as well. */
const last = {};

/** Hear of `progress`, `change` or `daemon`; returns what ends that. */
export function on(kind, listener) {
  listeners[kind].add(listener);
  if (kind in last && kind !== "change") listener(last[kind]);
  return () => listeners[kind].delete(listener);
}

/** Begin to listen, in this tab or through another one. */
export function startEvents() {
  channel?.addEventListener("message", ({ data }) => {
    if (data.kind === "ask") answer();
    else if (data.kind in listeners) tell(data.kind, data.value);
  });
  channel?.postMessage({ kind: "ask" });
  if (channel && navigator.locks) {
    // The promise never resolves: the lock is held until the tab is closed.
    navigator.locks.request(LOCK, () => new Promise(listen));
  } else {
    askByTheClock();
  }
}

function answer() {
  for (const [kind, value] of Object.entries(last)) {
    if (kind !== "change") channel.postMessage({ kind, value });
  }
}

function tell(kind, value) {
  last[kind] = value;
  for (const listener of listeners[kind]) listener(value);
}

function tellAll(kind, value) {
  tell(kind, value);
  channel?.postMessage({ kind, value });
}

function listen() {
  const source = new EventSource(eventsAddress);
  for (const kind of Object.keys(listeners)) {
    source.addEventListener(kind, ({ data }) => tellAll(kind, JSON.parse(data)));
  }
  source.addEventListener("error", () => {
    // The request says why, by its error; it is one that no daemon is started for.
    acts().catch(() => null);
    // One that was refused does not try again by itself.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, TRY_AGAIN);
  });
}

function askByTheClock() {
  const ask = async () => {
    if (document.hidden) return;
    try {
      // A daemon that somebody stopped is not started by that; and one that is back is seen.
      const { indexed, pending, failed, rate } = await status();
      const before = last.progress;
      tell("progress", { indexed, pending, failed, rate });
      const isOther = before && (before.indexed !== indexed || before.failed !== failed);
      if (isOther) tell("change", { kind: "progress", path: "" });
    } catch {
      // Who shows errors has heard of it.
    }
  };
  setInterval(ask, ASK_EVERY);
}

/** Take the word of a request that the daemon is there, or not. */
export function tellDaemon(state, message = "") {
  if (last.daemon?.state !== state) tell("daemon", { state, message });
}
