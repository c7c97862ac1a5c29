// What a search is to find: all copies or originals only, what only resembles, and how near.

import * as api from "./api.js";
import { fill, h } from "./dom.js";
import { say, t } from "./i18n.js";
import { onWishes, wishes } from "./queries.js";
import { expectedWords } from "./words.js";

/** Bits of the hash that may differ at most. */
const BITS = 256;

/** Milliseconds for which expected hits are believed; the daemon counts them anew as it indexes. */
const GOOD_FOR = 60_000;

/** Milliseconds after which it is asked again where it knew too little, or did not answer. */
const ASK_AGAIN = 5000;

let known = null;
let goodUntil = 0;

/** Load the expected foreign hits, unless that was done only now. */
export function loadDistances() {
  if (known && performance.now() < goodUntil) return known;
  const asked = api.distances();
  known = asked;
  goodUntil = performance.now() + ASK_AGAIN;
  asked.then(({ expected_by_distance: expected }) => {
    if (expected.length) goodUntil = performance.now() + GOOD_FOR;
  }, () => {
    if (known === asked) known = null;
  });
  return asked;
}

/** Make the form; `changed` is called after each change. */
export function wishForm(changed) {
  const change = (values) => {
    wishes.change(values);
    changed();
  };
  const modes = ["both", "original"].map((mode) => h("label", { class: "choice" },
    h("input", { type: "radio", name: "mode", value: mode, checked: wishes.mode === mode,
      onchange: () => change({ mode }) }),
    h("span", {}, say(`wish.${mode}`))));
  const alike = h("label", { class: "choice" },
    h("input", { type: "checkbox", checked: wishes.alike,
      onchange: ({ target }) => change({ alike: target.checked }) }),
    h("span", {}, say("wish.alike")));
  return h("details", { class: "wishes" }, h("summary", {}, say("wish")),
    h("fieldset", {}, h("legend", { class: "unseen" }, say("wish.mode")), modes), alike,
    limitField(change));
}

function limitField(change) {
  const words = h("span", { class: "hint" });
  const range = h("input", { type: "range", min: "0", max: "128", step: "1", "aria-label": say("limit.bits") });
  const own = h("input", { type: "checkbox", checked: wishes.distance !== null });
  const show = async () => {
    range.hidden = !own.checked;
    fill(words, own.checked ? say("wish.limit.bits", { count: Number(range.value), of: BITS }) : "");
    if (!own.checked) return;
    const { expected_by_distance: expected } = await loadDistances();
    const hits = expected[Number(range.value)];
    if (hits === undefined) return;
    fill(words, () => t("wish.limit.expected", {
      count: Number(range.value), of: BITS, expected: expectedWords(hits),
    }));
  };
  range.value = wishes.distance ?? 48;
  const quietly = () => show().catch(() => null);
  range.addEventListener("input", quietly);
  range.addEventListener("change", () => change({ distance: Number(range.value) }));
  own.addEventListener("change", () => {
    quietly();
    change({ distance: own.checked ? Number(range.value) : null });
  });
  // The library has a control of its own for it.
  onWishes(() => {
    own.checked = wishes.distance !== null;
    if (own.checked) range.value = wishes.distance;
    quietly();
  });
  quietly();
  return h("div", { class: "limit" },
    h("label", { class: "choice" }, own, h("span", {}, say("wish.limit"))), range, words);
}
