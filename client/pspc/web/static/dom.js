// Elements and their texts. Every string becomes text, never markup: names of files are strangers'.
//
// A text or attribute given as a function is live: it is asked again when the language changes.

const SVG = "http://www.w3.org/2000/svg";

/** What each element has to have said anew. */
const live = new WeakMap();

/** Those elements, whether they are in the document or not: what is put aside comes back. */
const speaking = new Set();
const gone = new FinalizationRegistry((reference) => speaking.delete(reference));

/** Make an element of a tag, its properties, and what is in it. */
export function h(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/** Make an SVG element. */
export function svg(tag, properties = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), properties, children);
}

/** Add strings, live strings, elements, or lists of them. */
export function append(element, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    if (typeof child === "function") {
      const text = document.createTextNode("");
      keepSaying(element, () => {
        text.data = child();
      });
      element.append(text);
    } else {
      element.append(child instanceof Node ? child : document.createTextNode(String(child)));
    }
  }
  return element;
}

/** Replace all that is in an element. */
export function fill(element, ...children) {
  forget(element);
  element.replaceChildren();
  return append(element, ...children);
}

/** Set the text of an element; a function is asked again when the language changes. */
export function say(element, text) {
  return fill(element, text);
}

/** Say all live texts anew. */
export function sayAnew() {
  for (const reference of [...speaking]) {
    const element = reference.deref();
    for (const refresh of (element && live.get(element)) ?? []) refresh();
  }
}

/** Set a property as `h` does. */
export function set(element, name, value) {
  if (name.startsWith("on") && typeof value === "function") {
    element.addEventListener(name.slice(2), value);
  } else if (typeof value === "function") {
    keepSaying(element, () => put(element, name, value()), name);
  } else {
    unsay(element, name);
    put(element, name, value);
  }
}

function filled(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) set(element, name, value);
  return append(element, ...children);
}

function put(element, name, value) {
  if (value === null || value === undefined || value === false) {
    element.removeAttribute(name);
  } else if (name === "text") {
    element.textContent = value;
  } else if (name === "value" || name === "checked" || name === "disabled" || name === "hidden") {
    element[name] = value;
  } else {
    element.setAttribute(name, value === true ? "" : value);
  }
}

function keepSaying(element, refresh, name = "") {
  if (!live.has(element)) {
    const reference = new WeakRef(element);
    live.set(element, []);
    speaking.add(reference);
    gone.register(element, reference);
  }
  unsay(element, name);
  refresh.property = name;
  live.get(element).push(refresh);
  refresh();
}

/** Have a property that is set again no longer say what it said before. */
function unsay(element, name) {
  const texts = live.get(element);
  if (texts && name) live.set(element, texts.filter((each) => each.property !== name));
}

function forget(element) {
  const texts = live.get(element);
  if (texts) live.set(element, texts.filter((each) => each.property && each.property !== "text"));
}
