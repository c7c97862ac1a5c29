// A plan → acts of the gateway, some ten thousand files at a time, and back.
//
// Each act has a journal of its own, so that of a large plan each part is taken back by itself. An act
// goes on when nobody looks: whoever has begun one watches it until it is known how it ended.

import * as api from "./api.js";
import { placeOf } from "./groups.js";
import { t } from "./i18n.js";

/** Characters of a request: a file takes some 300, and the gateway takes 64 MiB. */
const MOST_AT_ONCE = 20_000_000;

const LOOK_EVERY = 250;

/** Milliseconds after which a gateway that did not answer is asked again. */
const TRY_AGAIN = 1000;

/**
 * Carry out a plan; `progress` is called with {done, total, failed, isLost} as it goes on.
 *
 * Returns {done, bytes, failed, failures, acts, message, isWhole, kinds}: `failed` is [{path, message}]
 * of the first of so many `failures`, `acts` the numbers of those that did something, `message` why
 * all of it ended early, `isWhole` whether it is known of each file how it went, `kinds` how much was
 * moved to the trash and how much was linked, null where that is not known. With `isDry` it is only
 * looked whether everything could be done.
 */
export async function carryOut(groups, { isDry = false, progress = () => null } = {}) {
  const sum = { done: 0, bytes: 0, failed: [], failures: 0, acts: [], message: "" };
  const total = groups.reduce((count, { trash, link }) => count + trash.length + link.length, 0);
  for (const part of parts(groups)) {
    let act;
    try {
      ({ act } = await api.act(part, isDry));
    } catch (error) {
      // One that was refused has begun nothing; of one that was not answered nobody knows.
      if (!(error instanceof api.ApiError) || (error.status && !sum.acts.length)) throw error;
      sum.message = error.sentence;
      break;
    }
    const state = await finished(act, ({ done, failures, isLost }) => progress({
      done: sum.done + done, total, failed: sum.failures + failures, isLost,
    }));
    sum.done += state.done;
    sum.bytes += state.bytes;
    sum.failed.push(...state.failed);
    sum.failures += state.failures;
    if (state.done && !isDry) sum.acts.push(act);
    // The journal cannot be written, say: then nothing more shall be done.
    sum.message = state.message;
    if (state.state === "failed") break;
  }
  const isWhole = !sum.message && sum.done + sum.failures === total && sum.failures === sum.failed.length;
  return { ...sum, isWhole, kinds: kindsOf(groups, sum, isWhole) };
}

/**
 * Take back acts by their numbers, the last one first; returns {done, failed, failures, message}.
 *
 * The gateway refuses one that is not the newest any more.
 */
export async function takeBack(acts, progress = () => null) {
  const sum = { done: 0, failed: [], failures: 0, message: "" };
  for (const number of [...acts].reverse()) {
    let act;
    try {
      ({ act } = await api.undo(number));
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      sum.message = error.sentence;
      break;
    }
    const state = await finished(act, progress);
    sum.done += state.done;
    sum.failed.push(...state.failed);
    sum.failures += state.failures;
    sum.message = state.message;
    if (state.state === "failed") break;
  }
  return sum;
}

/** Wait until an act is over, whatever becomes of the questions; of one that is lost little is known. */
async function finished(act, progress) {
  let last = { done: 0, bytes: 0, failed: [], failures: 0 };
  for (;;) {
    let pause = LOOK_EVERY;
    try {
      last = await api.actState(act);
      progress(last);
      if (last.state !== "running") return last;
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      if (error.code === "act") return { ...last, state: "failed", message: t("plan.lost") };
      progress({ ...last, isLost: true });
      pause = TRY_AGAIN;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function kindsOf(groups, { done, bytes, failed }, isWhole) {
  const links = groups.flatMap(({ link }) => link);
  const kinds = { trash: { count: done, bytes }, link: { count: 0, bytes: 0 } };
  if (!links.length) return kinds;
  if (!isWhole) return null;
  const stays = new Set(failed.map(placeOf));
  for (const file of links.filter((each) => !stays.has(placeOf(each)))) {
    kinds.link.count += 1;
    kinds.link.bytes += file.bytes;
  }
  kinds.trash.count -= kinds.link.count;
  kinds.trash.bytes -= kinds.link.bytes;
  return kinds;
}

/** Yield groups, as the API has them, in parts that fit into a request; a group is never divided. */
function* parts(groups) {
  const named = ({ key, image, bytes }) => ({ key, image, bytes });
  let part = [];
  let size = 0;
  for (const { keep, trash, link } of groups) {
    const group = { keep: keep.map(named), trash: trash.map(named), link: link.map(named) };
    const own = JSON.stringify(group).length;
    if (part.length && size + own > MOST_AT_ONCE) {
      yield part;
      part = [];
      size = 0;
    }
    part.push(group);
    size += own;
  }
  if (part.length) yield part;
}
