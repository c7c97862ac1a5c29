// The sharp parts of both pictures, over their previews and on the same place.
//
//     maps of a drawing ─▶ nothing moves for a moment ─▶ wanted parts ─▶ loaded one by one ─▶ shown
//
// What is not wanted any more is given up, so that who zooms about waits for the last place alone.

import { h, set } from "./dom.js";
import { chain, css, scaling, shifting } from "./geometry.js";
import { say } from "./i18n.js";
import { pixelSize, showsPixels, suffices, wantedParts } from "./parts.js";

/** Milliseconds without a move after which parts are asked for. */
const PATIENCE = 150;

/** Parts that stay under newer ones until all of these are there. */
const MOST_OLD = 12;

export class SharpLayer {
  /** Make the layer of two elements, one for each picture, in a stage that says how it is. */
  constructor(stage, holders) {
    this.stage = stage;
    this.notice = h("p", { class: "error", role: "status", hidden: true }, say("compare.blurred"));
    this.layers = holders.map((holder) => (
      { holder, side: null, wanted: null, details: new Map(), loading: null }));
    this.timer = 0;
  }

  /** Show parts of these pictures from now on, each {width, height, detail}; null for none. */
  begin(sides) {
    clearTimeout(this.timer);
    this.timer = 0;
    this.layers.forEach((layer, index) => {
      this.forget(layer);
      layer.side = sides?.[index] ?? null;
    });
    this.tell("none");
  }

  /** Lay what is there on its place; look for what is missing once nothing moves. */
  draw({ maps, pane, mode }) {
    Object.assign(this, { maps, pane, mode, density: globalThis.devicePixelRatio });
    for (const [index, layer] of this.layers.entries()) {
      for (const detail of layer.details.values()) this.place(detail, maps[index]);
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), PATIENCE);
    this.show(true);
  }

  look() {
    this.timer = 0;
    for (const [index, layer] of this.layers.entries()) {
      if (!layer.side) continue;
      const wanted = wantedParts(this.maps[index], layer.side, this.pane, this.density);
      if (!wanted) this.forget(layer);
      else if (!layer.wanted || !suffices(layer.wanted, wanted)) want(layer, wanted);
      else if (!isSameBox(layer.wanted.seen, wanted.seen)) again(layer, wanted.seen);
    }
    this.load();
    this.show();
  }

  load() {
    for (const layer of this.layers) {
      // One of each picture at a time: the daemon makes one after the other, and a browser has six
      // connections for all of the page.
      const next = [...layer.details.values()].find(({ state }) => state === "wanted");
      if (next && !layer.loading) this.bring(layer, next);
    }
  }

  bring(layer, detail) {
    layer.loading = detail;
    detail.state = "loading";
    detail.picture.src = layer.side.detail(detail.part);
    // Of one that is given up nothing may ever be heard.
    detail.picture.decode().then(
      () => this.end(layer, detail, "there"),
      () => this.end(layer, detail, "failed"));
  }

  end(layer, detail, state) {
    if (layer.loading !== detail) return;
    layer.loading = null;
    detail.state = state;
    if (state === "there") {
      layer.holder.append(detail.picture);
      this.place(detail, this.maps[this.layers.indexOf(layer)]);
      if (isComplete(layer)) drop(layer, (each) => each.isOld);
    }
    this.load();
    this.show();
  }

  place({ part, picture, state }, map) {
    if (state !== "there") return;
    const { naturalWidth: width, naturalHeight: height } = picture;
    const scale = scaling(part.width / width, part.height / height);
    picture.style.transform = css(chain(map, shifting(part.left, part.top), scale));
    Object.assign(picture.style, { width: `${width}px`, height: `${height}px` });
    const middle = [part.left + part.width / 2, part.top + part.height / 2];
    const isExact = width === part.width && height === part.height;
    picture.classList.toggle("squares",
      isExact && showsPixels(pixelSize(map, middle, this.density)));
  }

  /** Say how it is, and hide what would differ from the other picture only by its sharpness. */
  show(isMoving = false) {
    const isReady = this.layers.every(isComplete);
    for (const { holder } of this.layers) {
      set(holder, "hidden", this.mode === "difference" && !isReady);
    }
    const states = this.layers.flatMap(({ details }) => [...details.values()])
      .filter(({ isOld }) => !isOld).map(({ state }) => state);
    if (isMoving || this.timer || states.includes("wanted") || states.includes("loading")) {
      this.tell("coming");
    } else if (states.includes("failed")) this.tell("failed");
    else this.tell(states.length ? "there" : "none");
  }

  tell(state) {
    this.stage.dataset.sharp = state;
    set(this.notice, "hidden", state !== "failed");
  }

  forget(layer) {
    layer.wanted = null;
    drop(layer, () => true);
  }
}

/** Want other parts than before; those that are there stay under them for a while. */
function want(layer, wanted) {
  const keys = new Map(wanted.parts.map((part) => [Object.values(part).join(), part]));
  drop(layer, (detail) => detail.state !== "there" && !keys.has(detail.key));
  for (const detail of layer.details.values()) detail.isOld = !keys.has(detail.key);
  const old = [...layer.details.values()].filter(({ isOld }) => isOld);
  const surplus = new Set(old.slice(0, Math.max(0, old.length - MOST_OLD)));
  drop(layer, (detail) => surplus.has(detail));
  for (const [key, part] of keys) {
    if (layer.details.has(key)) continue;
    const picture = h("img", { class: "stage-detail", draggable: "false", alt: "" });
    layer.details.set(key, { key, part, picture, state: "wanted", isOld: false });
  }
  layer.wanted = wanted;
  again(layer, wanted.seen);
  if (isComplete(layer)) drop(layer, (detail) => detail.isOld);
}

/** Try once more what failed: somebody has moved. */
function again(layer, seen) {
  layer.wanted.seen = seen;
  for (const detail of layer.details.values()) {
    if (detail.state === "failed") detail.state = "wanted";
  }
}

function drop(layer, isToGo) {
  for (const [key, detail] of layer.details) {
    if (!isToGo(detail)) continue;
    layer.details.delete(key);
    detail.picture.remove();
    // The browser breaks off its request.
    detail.picture.removeAttribute("src");
    if (layer.loading === detail) layer.loading = null;
  }
}

function isComplete({ details }) {
  return [...details.values()].every(({ state, isOld }) => isOld || state === "there");
}

function isSameBox(one, other) {
  return Object.keys(one).every((edge) => one[edge] === other[edge]);
}
