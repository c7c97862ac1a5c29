// A rectangle on the query, to search with that part: drawn, moved and sized by pointer, keys or numbers.

import { h } from "./dom.js";
import { say, t } from "./i18n.js";

/** Pixels of the picture below which nothing is to be seen. */
const SMALLEST = 16;

const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];

/** What each number of a rectangle is called. */
const SIDES = ["left", "top", "width", "height"];

export class CropBox {
  /** Take the element around the picture, and whom to tell of each change. */
  constructor(frame, changed) {
    this.frame = frame;
    this.changed = changed;
    this.size = { width: 1, height: 1 };
    this.rectangle = null;
    this.box = h("div", { class: "crop-box", tabindex: "0", role: "group", hidden: true,
      "aria-label": () => this.spoken(),
      onkeydown: (event) => this.onKey(event) },
      HANDLES.map((name) => h("span", { class: `crop-handle ${name}`, "data-handle": name })));
    this.layer = h("div", { class: "crop-layer" }, this.box);
    this.layer.addEventListener("pointerdown", (event) => this.onPress(event));
    frame.append(this.layer);
    this.fields = SIDES.map((side, index) => this.makeField(side, index));
    this.numbers = h("div", { class: "crop-numbers", role: "group", "aria-label": say("crop.part") },
      this.fields.map((field, index) => h("label", {}, say(`crop.${SIDES[index]}`), field)));
  }

  /** Begin with another picture of so many pixels, and with a rectangle, or none. */
  begin(size, rectangle = null) {
    this.size = size;
    this.set(rectangle);
  }

  /** Show a rectangle in the middle, for who cannot draw one. */
  propose() {
    const { width, height } = this.size;
    this.set([width / 4, height / 4, width / 2, height / 2]);
    this.box.focus();
  }

  /** Change the rectangle; null for none. */
  set(rectangle) {
    this.rectangle = rectangle && this.fitted(rectangle);
    this.layer.classList.toggle("drawing", this.rectangle !== null);
    this.box.hidden = this.rectangle === null;
    if (this.rectangle) this.show();
    this.changed(this.rectangle);
  }

  show() {
    const [left, top, width, height] = this.rectangle;
    Object.assign(this.box.style, {
      left: `${(100 * left) / this.size.width}%`,
      top: `${(100 * top) / this.size.height}%`,
      width: `${(100 * width) / this.size.width}%`,
      height: `${(100 * height) / this.size.height}%`,
    });
    this.box.setAttribute("aria-label", this.spoken());
    this.rectangle.forEach((value, index) => {
      if (document.activeElement !== this.fields[index]) this.fields[index].value = value;
    });
  }

  /** Return whole pixels within the picture. */
  fitted([left, top, width, height]) {
    const wide = Math.round(clamp(width, Math.min(SMALLEST, this.size.width), this.size.width));
    const high = Math.round(clamp(height, Math.min(SMALLEST, this.size.height), this.size.height));
    return [
      Math.round(clamp(left, 0, this.size.width - wide)),
      Math.round(clamp(top, 0, this.size.height - high)),
      wide,
      high,
    ];
  }

  spoken() {
    if (!this.rectangle) return t("crop.part");
    const [left, top, width, height] = this.rectangle;
    return t("crop.spoken", { left, top, width, height });
  }

  makeField(side, index) {
    const field = h("input", { type: "number", class: "field", min: "0", step: "1",
      inputmode: "numeric", "data-side": side });
    field.addEventListener("change", () => {
      const wanted = [...(this.rectangle ?? [0, 0, this.size.width, this.size.height])];
      wanted[index] = Number(field.value) || 0;
      this.set(wanted);
      field.value = this.rectangle[index];
    });
    return field;
  }

  onKey(event) {
    if (!this.rectangle || event.ctrlKey || event.metaKey) return;
    const step = event.altKey ? 1 : Math.max(1, Math.round(this.size.width / 50));
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in moves) {
      const [x, y] = moves[event.key].map((each) => each * step);
      const [left, top, width, height] = this.rectangle;
      this.set(event.shiftKey ? [left, top, width + x, height + y] : [left + x, top + y, width, height]);
    } else if (event.key === "Escape") {
      this.set(null);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  onPress(event) {
    const handle = event.target.dataset?.handle;
    const isInside = event.target === this.box;
    // A finger on the bare picture scrolls the page, until a part is being chosen.
    if (event.button !== 0 || (event.pointerType === "touch" && !this.rectangle)) return;
    event.preventDefault();
    this.layer.setPointerCapture(event.pointerId);
    const from = this.pointOf(event);
    const before = this.rectangle;
    const drag = (moved) => {
      const to = this.pointOf(moved);
      if (handle) this.set(resized(before, handle, to));
      else if (isInside) this.set(movedBy(before, to.x - from.x, to.y - from.y));
      else if (isFar(from, to)) this.set(spanned(from, to));
    };
    const end = () => {
      this.layer.removeEventListener("pointermove", drag);
      if (this.rectangle) this.box.focus({ preventScroll: true });
    };
    this.layer.addEventListener("pointermove", drag);
    this.layer.addEventListener("pointerup", end, { once: true });
    this.layer.addEventListener("pointercancel", end, { once: true });
  }

  pointOf(event) {
    const { left, top, width, height } = this.layer.getBoundingClientRect();
    return {
      x: clamp((event.clientX - left) / width, 0, 1) * this.size.width,
      y: clamp((event.clientY - top) / height, 0, 1) * this.size.height,
    };
  }
}

function clamp(value, least, most) {
  return Math.max(least, Math.min(most, value));
}

/** A click that shakes draws nothing. */
function isFar(from, to) {
  return Math.abs(to.x - from.x) >= SMALLEST / 2 && Math.abs(to.y - from.y) >= SMALLEST / 2;
}

function spanned(from, to) {
  const left = Math.min(from.x, to.x);
  const top = Math.min(from.y, to.y);
  return [left, top, Math.abs(to.x - from.x), Math.abs(to.y - from.y)];
}

function movedBy([left, top, width, height], x, y) {
  return [left + x, top + y, width, height];
}

function resized([left, top, width, height], handle, to) {
  const x = handle.includes("w") ? left + width : left;
  const y = handle.includes("n") ? top + height : top;
  const across = handle.includes("w") || handle.includes("e");
  const down = handle.includes("n") || handle.includes("s");
  const corner = { x: across ? to.x : left + width, y: down ? to.y : top + height };
  return spanned({ x, y }, corner);
}
