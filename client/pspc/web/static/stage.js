// Two pictures over or beside each other, at one zoom and one place.
//
// All is in the pixels of the first picture: `across` takes those of the second there.
//
//     pixels of a preview ─▶ pixels of its picture ─▶ (second only: across) ─▶ looking ─▶ screen

import { h, set, svg } from "./dom.js";
import { apply, around, chain, corners, css, inverse, outline, scaling, shifting } from "./geometry.js";
import { say } from "./i18n.js";
import { SharpLayer } from "./sharp_layer.js";

export const MODES = ["beside", "slider", "flicker", "difference"];

const LEAST_ZOOM = 0.2;
const MOST_ZOOM = 60;

/** Milliseconds that each picture is shown; less than three flashes a second, for safety. */
const FLICKER = 700;

export class Stage {
  /** Make a stage without pictures. */
  constructor() {
    this.mode = "beside";
    this.aligned = true;
    this.zoom = 1;
    this.divided = 0.5;
    this.gain = 4;
    this.showsSecond = false;
    this.sides = null;
    this.frame = 0;
    this.panes = [makePane("first"), makePane("second")];
    this.divider = h("div", { class: "divider", role: "slider", tabindex: "0",
      "aria-label": say("compare.divider"), "aria-valuemin": "0", "aria-valuemax": "100" },
      h("span", { class: "divider-grip" }));
    this.element = h("div", { class: "stage" }, ...this.panes.map(({ pane }) => pane), this.divider);
    this.sharp = new SharpLayer(this.element, this.panes.map(({ details }) => details));
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  /** Show nothing. */
  clear() {
    this.play(false);
    this.sides = null;
    this.showsSecond = false;
    this.sharp.begin(null);
    for (const { picture, place } of this.panes) {
      set(picture, "alt", "");
      picture.removeAttribute("src");
      place.classList.add("unseen");
    }
    this.draw();
  }

  /** Show two sides, each {address, detail, width, height, alt}, laid on each other by `across`. */
  begin(sides, across) {
    Object.assign(this, { sides, across, marks: [null, null], aligned: true, showsSecond: false });
    this.sharp.begin(sides);
    sides.forEach(({ address, alt }, index) => {
      const { picture } = this.panes[index];
      set(picture, "alt", alt);
      if (picture.getAttribute("src") !== address) picture.src = address;
    });
    this.fit();
  }

  /** Lay the second picture otherwise, and mark parts; zoom and place stay as somebody has them. */
  lay(across, marks) {
    this.across = across;
    this.marks = marks;
    this.draw();
  }

  /** Change the way of comparing. */
  setMode(mode) {
    this.mode = mode;
    this.play(false);
    this.showsSecond = false;
    this.draw();
  }

  /** Show all of the first picture, or of both. */
  fit(both = false) {
    if (!this.sides) return;
    const [first, second] = this.sides;
    const points = corners(first.width, first.height);
    if (both) points.push(...corners(second.width, second.height).map((each) => apply(this.across, each)));
    this.box = around(points);
    this.zoom = 1;
    this.centre = [this.box.left + this.box.width / 2, this.box.top + this.box.height / 2];
    this.draw();
  }

  /** Zoom, so that a point of the pane stays where it is; the middle if none is given. */
  zoomBy(factor, point = null) {
    if (!this.sides) return;
    const { width, height } = this.room();
    const at = point ?? [width / 2, height / 2];
    const before = apply(inverse(this.looking()), at);
    this.zoom = Math.max(LEAST_ZOOM, Math.min(MOST_ZOOM, this.zoom * factor));
    const after = apply(inverse(this.looking()), at);
    this.move(before[0] - after[0], before[1] - after[1]);
  }

  /** Move by so many pixels of the screen. */
  pan(x, y) {
    if (!this.sides) return;
    const scale = this.scale();
    this.move(-x / scale, -y / scale);
  }

  /** Show the other picture, in the mode that shows one at a time. */
  flick() {
    this.showsSecond = !this.showsSecond;
    this.draw();
  }

  /** Change pictures by the clock, or stop that. */
  play(on) {
    clearInterval(this.clock);
    this.isPlaying = on;
    if (on) this.clock = setInterval(() => this.flick(), FLICKER);
  }

  /** Move the line between the pictures. */
  divide(share) {
    this.divided = Math.max(0, Math.min(1, share));
    this.draw();
  }

  /** Draw at the next frame. */
  draw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.drawNow();
    });
  }

  drawNow() {
    const [{ pane: first }, { pane: second }] = this.panes;
    this.element.dataset.mode = this.mode;
    this.element.classList.toggle("stacked", this.isStacked());
    this.element.style.setProperty("--gain", this.gain);
    this.divider.hidden = this.mode !== "slider";
    second.classList.toggle("covered", this.mode === "flicker" && !this.showsSecond);
    first.classList.toggle("covered", this.mode === "flicker" && this.showsSecond);
    if (!this.sides || !this.element.clientWidth) return;
    const maps = this.maps();
    this.panes.forEach(({ picture, place, line }, index) => {
      const { width, height } = this.sides[index];
      const natural = [picture.naturalWidth || width, picture.naturalHeight || height];
      Object.assign(picture.style, { width: `${natural[0]}px`, height: `${natural[1]}px` });
      picture.style.transform = css(chain(maps[index], scaling(width / natural[0], height / natural[1])));
      const mark = this.mode === "beside" ? this.marks[index] : null;
      place.classList.toggle("unseen", !mark);
      if (mark) line.setAttribute("points", mark.map((each) => apply(maps[index], each).join()).join(" "));
    });
    this.clip(maps);
    this.sharp.draw({ maps, pane: this.room(), mode: this.mode });
  }

  /** Let each pane show what its mode wants of it. */
  clip(maps) {
    const [{ pane: first }, { pane: second }] = this.panes;
    const percent = 100 * this.divided;
    this.divider.style.left = `${percent}%`;
    this.divider.setAttribute("aria-valuenow", Math.round(percent));
    first.style.clipPath = "";
    second.style.clipPath = "";
    if (this.mode === "slider") {
      first.style.clipPath = `inset(0 ${100 - percent}% 0 0)`;
      second.style.clipPath = `inset(0 0 0 ${percent}%)`;
    } else if (this.mode === "difference") {
      // Where only one of them is, nothing differs.
      first.style.clipPath = outline(this.sides[1], maps[1]);
      second.style.clipPath = outline(this.sides[0], maps[0]);
    }
  }

  maps() {
    const looking = this.looking();
    if (this.mode !== "beside" || this.aligned) return [looking, chain(looking, this.across)];
    return [looking, this.lookingFreely()];
  }

  looking() {
    const { width, height } = this.room();
    const [x, y] = this.centre;
    return chain(shifting(width / 2, height / 2), scaling(this.scale()), shifting(-x, -y));
  }

  /** Look at the second picture by itself, at the same share of its sides. */
  lookingFreely() {
    const { width, height } = this.room();
    const [first, second] = this.sides;
    const scale = this.zoom * fitting(second, width, height);
    const x = (this.centre[0] / first.width) * second.width;
    const y = (this.centre[1] / first.height) * second.height;
    return chain(shifting(width / 2, height / 2), scaling(scale), shifting(-x, -y));
  }

  scale() {
    const { width, height } = this.room();
    return this.zoom * fitting(this.box, width, height);
  }

  room() {
    const { clientWidth, clientHeight } = this.element;
    if (this.mode !== "beside") return { width: clientWidth, height: clientHeight };
    return this.isStacked()
      ? { width: clientWidth, height: clientHeight / 2 }
      : { width: clientWidth / 2, height: clientHeight };
  }

  isStacked() {
    return this.mode === "beside" && this.element.clientWidth < this.element.clientHeight;
  }

  move(x, y) {
    const { left, top, width, height } = this.box;
    this.centre = [
      Math.max(left, Math.min(left + width, this.centre[0] + x)),
      Math.max(top, Math.min(top + height, this.centre[1] + y)),
    ];
    this.draw();
  }

  listen() {
    for (const { picture } of this.panes) picture.addEventListener("load", () => this.draw());
    this.element.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), this.pointOf(event));
    }, { passive: false });
    this.element.addEventListener("dblclick", (event) => this.zoomBy(2, this.pointOf(event)));
    const pointers = new Map();
    this.element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.element.setPointerCapture(event.pointerId);
      const holds = this.divider.contains(event.target) ? "divider" : "picture";
      pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, holds });
    });
    this.element.addEventListener("pointermove", (event) => this.onMove(event, pointers));
    for (const end of ["pointerup", "pointercancel"]) {
      this.element.addEventListener(end, (event) => pointers.delete(event.pointerId));
    }
    this.divider.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 };
      if (!(event.key in steps)) return;
      event.preventDefault();
      this.divide(this.divided + steps[event.key]);
    });
  }

  onMove(event, pointers) {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY, holds: before.holds };
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    pointers.set(event.pointerId, now);
    if (now.holds === "divider") {
      const { left, width } = this.element.getBoundingClientRect();
      this.divide((event.clientX - left) / width);
    } else if (other) {
      const factor = distance(now, other) / Math.max(1, distance(before, other));
      this.zoomBy(factor, this.pointOf({ clientX: (now.x + other.x) / 2, clientY: (now.y + other.y) / 2 }));
    } else {
      this.pan(now.x - before.x, now.y - before.y);
    }
  }

  /** Return where an event is in its pane. */
  pointOf({ clientX, clientY }) {
    const { left, top } = this.element.getBoundingClientRect();
    const { width, height } = this.room();
    const isSecond = this.mode === "beside";
    const x = clientX - left;
    const y = clientY - top;
    return [isSecond && x > width ? x - width : x, isSecond && y > height ? y - height : y];
  }
}

function makePane(name) {
  const picture = h("img", { class: "stage-picture", draggable: "false", alt: "" });
  const line = svg("polygon");
  const place = svg("svg", { class: "place", "aria-hidden": "true" }, line);
  const label = h("span", { class: "pane-label", "aria-hidden": "true" }, name === "first" ? "A" : "B");
  const details = h("div", { class: "details" });
  const pane = h("div", { class: `pane ${name}` }, picture, details, place, label);
  return { pane, picture, details, place, line };
}

function fitting({ width, height }, wide, high) {
  return 0.96 * Math.min(wide / width, high / height);
}

function distance(one, other) {
  return Math.hypot(one.x - other.x, one.y - other.y);
}
