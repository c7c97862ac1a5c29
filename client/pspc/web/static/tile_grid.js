// Pictures with their names, in sections, as many in a row as there is room; arrow keys go through.
//
//     sections ──▶ rows (heads, and lines of tiles) ──▶ virtual_list
//
// For a screen reader it is a grid. Of all tiles one can be reached by Tab, the others by arrows.

import { h } from "./dom.js";
import { release } from "./thumbnails.js";
import { VirtualList } from "./virtual_list.js";

export class TileGrid {
  /**
   * Take an element, and what draws.
   *
   * A section is {key, items}. `head(section)` draws its head, `tile(item, section)` a tile with one
   * `button.tile-open`; `keyOf(item)` tells items apart; `headStamp(section)` and `stampOf(item,
   * section)` change when something is to be drawn anew. `near()` is called when the end is near.
   * Sizes are in rem; where the page is narrow, `flat` is the height of a tile as wide as the page.
   */
  constructor(host, wishes) {
    const { head, tile, keyOf, headStamp, stampOf, sizes, near = () => null } = wishes;
    Object.assign(this, { host, head, tile, keyOf, headStamp, stampOf, sizes, near });
    this.sections = [];
    this.current = 0;
    this.columns = 1;
    host.setAttribute("role", "grid");
    this.list = new VirtualList(host, {
      draw: (row, index) => this.draw(row, index),
      keyOf: (row) => (row.isHead ? row.section.key : this.keyOf(row.section.items[row.from])),
      stampOf: (row) => this.stampOfRow(row),
      discard: release,
      settled: () => this.settle(),
    });
    host.addEventListener("keydown", (event) => this.onKey(event));
    host.addEventListener("focusin", (event) => this.onFocus(event));
    new ResizeObserver(() => this.layOut()).observe(host);
  }

  /** Show other sections. */
  setSections(sections) {
    this.sections = sections;
    let start = 0;
    for (const section of sections) {
      section.start = start;
      start += section.items.length;
    }
    this.count = start;
    this.current = Math.min(this.current, Math.max(0, start - 1));
    this.width = 0;
    this.layOut();
  }

  /** Draw anew what has changed of what can be seen. */
  refresh() {
    this.list.show();
  }

  /** Say again which tile can be reached by Tab, the first one. */
  rewind() {
    this.current = 0;
  }

  /** Return the item that keys act on, with its section; null where there is none. */
  get focused() {
    const tile = document.activeElement?.closest?.(".tile");
    return tile && this.host.contains(tile) ? this.at(Number(tile.dataset.item)) : null;
  }

  /** Move the focus to an item, by its number among all. */
  focusItem(number) {
    if (!this.count) return;
    this.current = Math.max(0, Math.min(this.count - 1, number));
    const row = this.rowOf(this.current);
    // Its head, if it has one right above, shall be seen with it.
    const top = this.list.rows[row - 1]?.isHead ? row - 1 : row;
    this.list.reveal(top, this.covered());
    this.list.reveal(row, this.covered());
    const tile = this.host.querySelector(`.tile[data-item="${this.current}"] .tile-open`);
    tile?.focus({ preventScroll: true });
  }

  covered() {
    return document.querySelector(".top")?.offsetHeight ?? 0;
  }

  layOut() {
    const width = this.host.clientWidth;
    if (!width || width === this.width) return;
    this.width = width;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const isFlat = width < this.sizes.narrow * rem;
    this.host.classList.toggle("flat", isFlat);
    this.columns = isFlat ? 1 : Math.max(1, Math.floor(width / (this.sizes.width * rem)));
    this.host.style.setProperty("--columns", this.columns);
    const height = (isFlat ? this.sizes.flat : this.sizes.height) * rem;
    const headHeight = (isFlat ? this.sizes.flatHead : this.sizes.head) * rem;
    const rows = [];
    for (const section of this.sections) {
      section.row = rows.length;
      rows.push({ isHead: true, section, height: headHeight });
      for (let from = 0; from < section.items.length; from += this.columns) {
        const to = Math.min(section.items.length, from + this.columns);
        rows.push({ isHead: false, section, from, to, height });
      }
    }
    this.host.setAttribute("aria-rowcount", rows.length);
    this.host.setAttribute("aria-colcount", this.columns);
    this.list.setRows(rows);
  }

  stampOfRow(row) {
    if (row.isHead) return this.headStamp(row.section);
    const items = row.section.items.slice(row.from, row.to);
    const stamps = items.map((item) => `${this.keyOf(item)} ${this.stampOf(item, row.section)}`);
    return `${this.columns} ${row.section.start + row.from} ${stamps.join()}`;
  }

  draw(row, index) {
    const attributes = { role: "row", "aria-rowindex": index + 1 };
    if (row.isHead) {
      const cell = h("div", { role: "gridcell", "aria-colspan": this.columns, class: "head-cell" },
        this.head(row.section));
      const element = h("div", { ...attributes, class: "head-row" }, cell);
      element.style.height = `${row.height}px`;
      return element;
    }
    const tiles = row.section.items.slice(row.from, row.to).map((item, column) => {
      const tile = this.tile(item, row.section);
      tile.classList.add("tile");
      tile.setAttribute("role", "gridcell");
      tile.dataset.item = row.section.start + row.from + column;
      for (const button of tile.querySelectorAll("button")) button.tabIndex = -1;
      tile.querySelector(".tile-open").dataset.focus = this.keyOf(item);
      return tile;
    });
    const element = h("div", { ...attributes, class: "tile-row" }, ...tiles);
    element.style.height = `${row.height}px`;
    return element;
  }

  /** Have one tile that Tab reaches, whatever is in the document. */
  settle() {
    const tiles = [...this.host.querySelectorAll(".tile")];
    const hasCurrent = tiles.some((tile) => Number(tile.dataset.item) === this.current);
    if (!hasCurrent && tiles.length) {
      const seen = tiles.find((tile) => tile.getBoundingClientRect().top >= this.covered());
      this.current = Number((seen ?? tiles[0]).dataset.item);
    }
    this.point();
    if (this.list.shown.size) {
      const last = Math.max(...[...this.list.shown.values()].map(({ index }) => index));
      if (last >= this.list.rows.length - 3) this.near();
    }
  }

  point() {
    for (const tile of this.host.querySelectorAll(".tile")) {
      const isCurrent = Number(tile.dataset.item) === this.current;
      for (const button of tile.querySelectorAll("button")) button.tabIndex = isCurrent ? 0 : -1;
    }
  }

  onFocus(event) {
    const tile = event.target.closest(".tile");
    if (!tile) return;
    this.current = Number(tile.dataset.item);
    this.point();
  }

  onKey(event) {
    const tile = event.target.closest(".tile");
    if (!tile || event.ctrlKey || event.metaKey || event.altKey) return;
    const to = this.target(event.key, Number(tile.dataset.item));
    if (to === null) return;
    event.preventDefault();
    this.focusItem(to);
  }

  target(key, number) {
    const page = Math.max(1, Math.floor(innerHeight / (this.list.rows.at(-1)?.height || 1)) - 1);
    switch (key) {
      case "ArrowLeft":
        return number - 1;
      case "ArrowRight":
        return number + 1;
      case "ArrowUp":
        return this.across(number, -1);
      case "ArrowDown":
        return this.across(number, 1);
      case "PageUp":
        return this.across(number, -page);
      case "PageDown":
        return this.across(number, page);
      case "Home":
        return 0;
      case "End":
        return this.count - 1;
      default:
        return null;
    }
  }

  /** Return the number of the item so many rows of tiles on, in the same column if it can be. */
  across(number, steps) {
    const { rows } = this.list;
    let at = this.rowOf(number);
    const column = number - rows[at].section.start - rows[at].from;
    for (let left = Math.abs(steps); left > 0; left -= 1) {
      let next = at + Math.sign(steps);
      while (rows[next]?.isHead) next += Math.sign(steps);
      if (!rows[next]) break;
      at = next;
    }
    const row = rows[at];
    return row.section.start + row.from + Math.min(column, row.to - row.from - 1);
  }

  rowOf(number) {
    const { section } = this.at(number);
    return section.row + 1 + Math.floor((number - section.start) / this.columns);
  }

  at(number) {
    let low = 0;
    let high = this.sections.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.sections[middle].start <= number) low = middle;
      else high = middle - 1;
    }
    const section = this.sections[low];
    return { section, item: section.items[number - section.start], number };
  }
}
