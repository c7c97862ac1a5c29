// What this browser remembers of a person's wishes. Storage may be full or forbidden: then nothing.

const PREFIX = "psp.";

/** Return what was remembered, or something else. */
export function recall(name, otherwise) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? otherwise : text;
  } catch {
    return otherwise;
  }
}

/** Remember a text, or with null forget it. */
export function remember(name, text) {
  try {
    if (text === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, text);
  } catch {
    // It is a wish, and no work of anybody's.
  }
}
