// Pictures in lists: few at a time, the newest wish first, and none that has been scrolled away.
//
// A browser opens six connections to one address; these take four, so that a click never waits.

import { thumbnailAddress } from "./api.js";
import { h } from "./dom.js";
import { on } from "./events.js";

const MOST_AT_ONCE = 4;

/** Who scrolls fast shall not have everything drawn that flies by. */
const PATIENCE = 60;

const MOST_TRIES = 2;
const TRY_AGAIN = 1500;

/** Images → the address that each is to show; in the order of the wishes. */
const wanted = new Map();
const loading = new Set();
const tries = new WeakMap();
const failed = new Set();
let timer = 0;

/** Make the picture of an image of the index. `alt` is empty where its name stands beside it. */
export function thumbnail(image, alt = "", size = sharpSize()) {
  return drawn(thumbnailAddress(image, size), alt);
}

/** Make a picture that is loaded when there is time. */
export function drawn(address, alt = "") {
  const picture = h("img", { class: "thumbnail", alt, decoding: "async", draggable: "false" });
  picture.addEventListener("load", () => done(picture, true));
  picture.addEventListener("error", () => done(picture, false));
  want(picture, address);
  return picture;
}

/** Give up the pictures in an element that is taken out of the document. */
export function release(element) {
  for (const picture of element.querySelectorAll("img.thumbnail")) {
    wanted.delete(picture);
    failed.delete(picture);
    if (loading.delete(picture)) picture.removeAttribute("src");
  }
  schedule();
}

function want(picture, address) {
  picture.dataset.address = address;
  wanted.set(picture, address);
  schedule();
}

function schedule() {
  if (!timer && wanted.size && loading.size < MOST_AT_ONCE) timer = setTimeout(load, PATIENCE);
}

function load() {
  timer = 0;
  for (const [picture, address] of [...wanted].reverse()) {
    if (loading.size >= MOST_AT_ONCE) return;
    wanted.delete(picture);
    if (!picture.isConnected) continue;
    loading.add(picture);
    picture.src = address;
  }
}

function done(picture, isThere) {
  // One that was given up is heard of as well.
  if (!loading.delete(picture)) return;
  picture.classList.toggle("shown", isThere);
  picture.parentElement?.classList.toggle("absent", !isThere);
  if (!isThere) fail(picture);
  // No delay: these waited already.
  load();
}

/** Try once more in a while: a daemon that has much to do refuses what is over its limit. */
function fail(picture) {
  const count = (tries.get(picture) ?? 0) + 1;
  tries.set(picture, count);
  failed.add(picture);
  if (count > MOST_TRIES) return;
  setTimeout(() => {
    if (failed.delete(picture)) want(picture, picture.dataset.address);
  }, count * TRY_AGAIN);
}

function sharpSize() {
  return globalThis.devicePixelRatio > 1.2 ? 512 : 256;
}

// What failed while there was no daemon is tried again once there is.
on("daemon", ({ state }) => {
  if (state !== "up") return;
  for (const picture of failed) want(picture, picture.dataset.address);
  failed.clear();
});
