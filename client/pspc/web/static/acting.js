// A plan → acts of the gateway, some ten thousand files at a time, and back.
//
// Each act has a journal of its own, so that of a large plan each part is taken back by itself.

import * as api from "./api.js";

/** Characters of a request: a file takes some 300, and the gateway takes 64 MiB. */
const MOST_AT_ONCE = 20_000_000;

const LOOK_EVERY = 250;

/**
 * Carry out a plan; `progress` is called with {done, total, failed} as it goes on.
 *
 * Returns {done, bytes, failed, failures, acts, message}: `failed` is [{path, message}] of the first
 * of so many `failures`, `message` why all of it ended early. With `isDry` it is only looked whether
 * everything could be done.
 */
export async function carryOut(groups, { isDry = false, progress = () => null } = {}) {
  const sum = { done: 0, bytes: 0, failed: [], failures: 0, acts: 0, message: "" };
  const total = groups.reduce((count, { trash, link }) => count + trash.length + link.length, 0);
  for (const part of parts(groups)) {
    const { act } = await api.act(part, isDry);
    const state = await finished(act, ({ done, failures }) => progress({
      done: sum.done + done, total, failed: sum.failures + failures,
    }));
    sum.done += state.done;
    sum.bytes += state.bytes;
    sum.failed.push(...state.failed);
    sum.failures += state.failures;
    if (state.done && !isDry) sum.acts += 1;
    // The journal cannot be written, say: then nothing more shall be done.
    sum.message = state.message;
    if (state.state === "failed") break;
  }
  return sum;
}

/** Take back so many acts, the last one first; returns {done, failed, failures, message}. */
export async function takeBack(acts = 1, progress = () => null) {
  const sum = { done: 0, failed: [], failures: 0, message: "" };
  for (let count = 0; count < acts; count += 1) {
    const { act } = await api.undo();
    const state = await finished(act, progress);
    sum.done += state.done;
    sum.failed.push(...state.failed);
    sum.failures += state.failures;
    sum.message ||= state.message;
  }
  return sum;
}

async function finished(act, progress) {
  for (;;) {
    const state = await api.actState(act);
    progress(state);
    if (state.state !== "running") return state;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
}

/** Yield groups in parts that fit into a request; a group is never divided. */
function* parts(groups) {
  let part = [];
  let size = 0;
  for (const group of groups) {
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
