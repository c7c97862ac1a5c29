// Icons, drawn with one pen on 24 by 24; they say nothing to a screen reader.

import { svg } from "./dom.js";

const SHAPES = {
  search: ["M10.5 4a6.5 6.5 0 1 1 0 13a6.5 6.5 0 0 1 0-13z", "M15.3 15.3L20 20"],
  copies: ["M8 8h12v12H8z", "M16 8V4H4v12h4"],
  library: ["M3 7V5.5A1.5 1.5 0 0 1 4.5 4H9l2 3h8.5a1.5 1.5 0 0 1 1.5 1.5v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5z"],
  picture: ["M4 5h16v14H4z", "M4 16l4.5-5l4 4.5L15 13l5 4", "M15.5 9.5h.01"],
  compare: ["M4 5h16v14H4z", "M12 3v18"],
  upload: ["M12 16V5", "M7.5 9.5L12 5l4.5 4.5", "M5 19h14"],
  link: ["M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1", "M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1"],
  crop: ["M7 3v14h14", "M3 7h14v14"],
  folder: ["M3 7V5.5A1.5 1.5 0 0 1 4.5 4H9l2 3h8.5A1.5 1.5 0 0 1 21 8.5v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5z"],
  clipboard: ["M9 4h6v3H9z", "M9 5.5H6V20h12V5.5h-3"],
  trash: ["M5 7h14", "M9 7V4.5h6V7", "M7 7l1 13h8l1-13", "M10.5 11v5", "M13.5 11v5"],
  keep: ["M5 12.5l4.5 4.5L19 7.5"],
  stay: ["M7 12h10"],
  undo: ["M8 5L4 9l4 4", "M4 9h10a5.5 5.5 0 0 1 0 11h-3"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  add: ["M12 5v14", "M5 12h14"],
  up: ["M6 14.5L12 8.5l6 6"],
  down: ["M6 9.5l6 6l6-6"],
  left: ["M14.5 6l-6 6l6 6"],
  right: ["M9.5 6l6 6l-6 6"],
  back: ["M20 12H5", "M11 6l-6 6l6 6"],
  swap: ["M4 8h14", "M14.5 4.5L18 8l-3.5 3.5", "M20 16H6", "M9.5 12.5L6 16l3.5 3.5"],
  turn: ["M5 12a7 7 0 1 1 2.5 5.4", "M4.5 8v4h4"],
  mirror: ["M12 3v18", "M9 7L4 17h5z", "M15 7l5 10h-5z"],
  align: ["M4 4h10v10H4z", "M10 10h10v10H10z"],
  play: ["M8 5.5l10 6.5l-10 6.5z"],
  pause: ["M8.5 6v12", "M15.5 6v12"],
  sun: ["M12 8a4 4 0 1 1 0 8a4 4 0 0 1 0-8z", "M12 2.5v2", "M12 19.5v2", "M2.5 12h2", "M19.5 12h2", "M5.3 5.3l1.4 1.4", "M17.3 17.3l1.4 1.4", "M5.3 18.7l1.4-1.4", "M17.3 6.7l1.4-1.4"],
  moon: ["M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z"],
  contrast: ["M12 4a8 8 0 1 1 0 16a8 8 0 0 1 0-16z", "M12 4v16", "M12 8h6.5", "M12 12h8", "M12 16h6.5"],
  help: ["M12 4a8 8 0 1 1 0 16a8 8 0 0 1 0-16z", "M9.8 10a2.3 2.3 0 1 1 3.3 2.1c-.7.3-1.1.8-1.1 1.5v.2", "M12 16.5h.01"],
  warning: ["M12 4L2.5 20h19z", "M12 10v4.5", "M12 17.3h.01"],
  different: ["M5 9.5h14", "M5 14.5h14", "M16 5L8 19"],
  refresh: ["M19 12a7 7 0 1 1-2.5-5.4", "M19.5 4v4h-4"],
  filter: ["M4 6h16", "M7 12h10", "M10 18h4"],
  info: ["M12 4a8 8 0 1 1 0 16a8 8 0 0 1 0-16z", "M12 11v5", "M12 8h.01"],
};

/** Draw an icon. */
export function icon(name) {
  const shape = SHAPES[name].map((d) => svg("path", { d }));
  return svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, ...shape);
}
