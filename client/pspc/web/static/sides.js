// The pictures of a comparison, each a query that the gateway has kept or a picture of the index.

import * as api from "./api.js";
import { nameOf } from "./paths.js";
import { PREVIEW_SIDE } from "./parts.js";
import { queryOf } from "./queries.js";

/** Return what is known of a picture: where it and its parts are drawn, its size, files and tags. */
export async function loadSide(image, signal) {
  if (isStranger(queryOf(image))) return querySide(image, signal);
  try {
    const picture = await api.picture(image, signal);
    const [file] = picture.files;
    return {
      ...picture,
      image,
      isQuery: false,
      name: file ? nameOf(file.path) : "",
      address: api.thumbnailAddress(image, PREVIEW_SIDE),
      detail: (part) => api.detailAddress(image, part),
    };
  } catch (error) {
    if (!(error instanceof api.ApiError) || error.status >= 500) throw error;
    return querySide(image, signal);
  }
}

/** Say whether a query is known not to be in the index. */
function isStranger(query) {
  return Boolean(query?.answer) && !query.source.indexed && !query.answer.hits.some(({ image }) => image === query.image);
}

async function querySide(image, signal) {
  const query = queryOf(image);
  // After the page was loaded anew, or when only a part was searched with, the gateway knows.
  const facts = query?.facts ??
    (await api.searchKept(image, { effort: "fast", count: 1 }, signal)).query;
  return {
    ...facts,
    image,
    isQuery: true,
    name: nameOf(query?.name ?? ""),
    address: api.queryAddress(image, PREVIEW_SIDE),
    detail: (part) => api.queryDetailAddress(image, part),
    files: [],
    tags: [],
  };
}
