// The places that belong together, so that the comparison can go on to the next pair.

let places = [];

/** Take the places of a list. */
export function setSeries(addresses) {
  // Files of one content make one comparison.
  places = [...new Set(addresses)];
}

/** Return where a place stands in its list: {index, count, before, after}; null when in none. */
export function neighbours(place) {
  const index = places.indexOf(place);
  if (index < 0) return null;
  return {
    index,
    count: places.length,
    before: places[index - 1] ?? null,
    after: places[index + 1] ?? null,
  };
}
