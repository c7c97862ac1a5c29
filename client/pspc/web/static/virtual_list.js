// A long list of which only what can be seen is in the document. The page itself scrolls.
//
// Rows have heights that are known beforehand, so that a place in the list is found by halving.

/** Browsers give up somewhere beyond 17 million pixels; longer lists scroll faster than drawn. */
const TALLEST = 15_000_000;

/** Pixels above and below the window that are drawn as well. */
const MARGIN = 500;

export class VirtualList {
  /**
   * Take an element, and what draws rows.
   *
   * `rows` are told apart by `keyOf(row)`; one whose `stampOf(row)` is as it was is not drawn anew.
   * `discard(element)` is told of what leaves the document, `settled()` after each drawing.
   */
  constructor(host, { draw, keyOf, stampOf = () => "", discard = () => null, settled = () => null }) {
    Object.assign(this, { host, draw, keyOf, stampOf, discard, settled });
    this.rows = [];
    this.offsets = new Float64Array(1);
    this.shown = new Map();
    this.frame = 0;
    host.classList.add("virtual");
    this.update = () => {
      this.frame ||= requestAnimationFrame(() => {
        this.frame = 0;
        this.show();
      });
    };
    globalThis.addEventListener("scroll", this.update, { passive: true });
    globalThis.addEventListener("resize", this.update, { passive: true });
  }

  /** Show other rows, each with a `height` in pixels. */
  setRows(rows) {
    this.rows = rows;
    this.offsets = new Float64Array(rows.length + 1);
    for (let index = 0; index < rows.length; index += 1) {
      this.offsets[index + 1] = this.offsets[index] + rows[index].height;
    }
    this.host.style.height = `${Math.min(this.total, TALLEST)}px`;
    this.show();
  }

  /** Return the height of all rows. */
  get total() {
    return this.offsets[this.rows.length];
  }

  /** Put what can be seen into the document, and take out the rest. */
  show() {
    if (!this.host.isConnected || this.host.offsetParent === null) return;
    const { top, scrolled } = this.place();
    const first = Math.max(0, this.indexAt(top - MARGIN));
    const last = Math.min(this.rows.length - 1, this.indexAt(top + innerHeight + MARGIN));
    const focused = this.host.contains(document.activeElement) ? document.activeElement : null;
    const before = this.shown;
    this.shown = new Map();
    for (let index = first; index <= last; index += 1) this.take(index, before);
    this.keepFocused(before, focused);
    for (const { element } of before.values()) this.drop(element);
    for (const { element, index } of this.shown.values()) {
      element.style.transform = `translateY(${this.offsets[index] - top + scrolled}px)`;
    }
    this.refocus(focused);
    this.settled();
  }

  /** Scroll so that a row can be seen whole, under what sticks to the upper edge. */
  reveal(index, covered = 0) {
    const { top, scrolled } = this.place();
    const from = this.offsets[index];
    const to = this.offsets[index + 1];
    let wanted = top;
    if (from < top + covered) wanted = from - covered;
    else if (to > top + innerHeight) wanted = to - innerHeight + 8;
    if (wanted !== top) scrollBy(0, this.actual(wanted) - scrolled);
    this.show();
  }

  /** Return the index of the row at a place. */
  indexAt(place) {
    let low = 0;
    let high = this.rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.offsets[middle] <= place) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Return where the window's upper edge is: among the rows, and in the element. */
  place() {
    const scrolled = -this.host.getBoundingClientRect().top;
    return { top: scrolled * this.stretch(), scrolled };
  }

  actual(place) {
    return place / this.stretch();
  }

  stretch() {
    if (this.total <= TALLEST) return 1;
    return (this.total - innerHeight) / (TALLEST - innerHeight);
  }

  take(index, before) {
    const row = this.rows[index];
    const key = this.keyOf(row);
    const stamp = this.stampOf(row);
    const old = before.get(key);
    if (old && old.stamp === stamp) {
      before.delete(key);
      this.shown.set(key, { ...old, index });
      return;
    }
    const element = this.draw(row, index);
    element.classList.add("virtual-row");
    this.insert(element, index);
    this.shown.set(key, { element, stamp, index });
  }

  /** Put a row before those that come after it, for the order is what is read and tabbed through. */
  insert(element, index) {
    element.dataset.row = index;
    const after = [...this.host.children].find((each) => Number(each.dataset.row) > index);
    this.host.insertBefore(element, after ?? null);
  }

  /** Keep the row that has the focus: keys would lead nowhere once it is gone. */
  keepFocused(before, focused) {
    if (!focused) return;
    for (const [key, { element, stamp, index }] of before) {
      const isThere = index < this.rows.length && this.keyOf(this.rows[index]) === key;
      if (element.contains(focused) && isThere && this.stampOf(this.rows[index]) === stamp) {
        before.delete(key);
        this.shown.set(key, { element, stamp, index });
      }
    }
  }

  /** Give the focus to what took the place of the element that had it. */
  refocus(focused) {
    if (!focused || focused.isConnected || !focused.dataset.focus) return;
    const selector = `[data-focus="${CSS.escape(focused.dataset.focus)}"]`;
    this.host.querySelector(selector)?.focus({ preventScroll: true });
  }

  drop(element) {
    this.discard(element);
    element.remove();
  }
}
