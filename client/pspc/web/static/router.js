// The address after # ↔ what is shown: `#/search/ID?crop=…`, `#/compare/ID/ID`, `#/duplicates`.

export const VIEWS = ["search", "duplicates", "library", "compare"];

const ID = /^[0-9a-f]{64}$/;

/** Read an address; what makes no sense leads to the search. */
export function parse(hash) {
  const [path, values = ""] = hash.replace(/^#\/?/, "").split("?");
  const [view, ...parts] = path.split("/");
  const images = parts.filter((part) => ID.test(part));
  if (!VIEWS.includes(view) || (view === "compare" && images.length !== 2)) {
    return { view: "search", images: [], values: new URLSearchParams() };
  }
  return { view, images, values: new URLSearchParams(values) };
}

/** Write an address. */
export function address(view, images = [], values = {}) {
  const wanted = Object.entries(values).filter(([, value]) => value);
  const tail = wanted.length ? `?${new URLSearchParams(wanted)}` : "";
  return `#/${[view, ...images].join("/")}${tail}`;
}

/** Go somewhere; with `isSame`, the place that is left cannot be gone back to. */
export function go(hash, isSame = false) {
  if (hash === location.hash) return;
  if (isSame) history.replaceState(history.state, "", hash);
  else location.hash = hash;
}

/** Go somewhere in place of what is shown. */
export function replace(hash) {
  go(hash, true);
  // Nobody is told of an address that was only replaced.
  globalThis.dispatchEvent(new HashChangeEvent("hashchange"));
}

/** Go back to where somebody was on this page; to another place of it where that was nowhere. */
export function back(otherwise) {
  if (history.state?.follows) history.back();
  else replace(otherwise);
}

/** Call with the place that is shown, now and after each change. */
export function onPlace(show) {
  const mark = (follows) => {
    // An address that was shown before has its mark.
    if (history.state === null) history.replaceState({ follows }, "");
  };
  mark(false);
  globalThis.addEventListener("hashchange", () => {
    mark(true);
    show(parse(location.hash));
  });
  show(parse(location.hash));
}
