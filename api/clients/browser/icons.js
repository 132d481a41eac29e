/** Pictograms in the colour of the surrounding text. */

const SVG = "http://www.w3.org/2000/svg";

/** A decorative SVG element, which screen readers skip. */
export function svg(viewBox, ...shapes) {
  const element = make("svg", { viewBox, "aria-hidden": "true", focusable: "false" });
  element.append(...shapes.map(([name, attributes]) => make(name, attributes)));
  return element;
}

function make(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

const LINE = { fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round" };
const line = (d, more = {}) => ["path", { ...LINE, d, ...more }];
const HEAD = ["ellipse", { ...LINE, cx: 12, cy: 12, rx: 7.5, ry: 9.5 }];
const EYES = line("M9.2 9.5v1M14.8 9.5v1");

const SHAPES = {
  camera: [["rect", { ...LINE, x: 3, y: 7, width: 18, height: 13, rx: 3 }], line("M8 7l1.5-3h5L16 7"), ["circle", { ...LINE, cx: 12, cy: 13.5, r: 3.5 }]],
  move: [HEAD, EYES, line("M9 15c1.8 1.6 4.2 1.6 6 0")],
  lock: [["rect", { ...LINE, x: 5, y: 11, width: 14, height: 9, rx: 2.5 }], line("M8 11V8a4 4 0 0 1 8 0v3")],
  check: [line("M5 12.5l4.5 4.5L19 7.5", { "stroke-width": 2.6 })],
  cross: [line("M7 7l10 10M17 7L7 17", { "stroke-width": 2.4 })],
  alert: [line("M12 6.5v7", { "stroke-width": 2.6 }), line("M12 17.5v.01", { "stroke-width": 3 })],
  // Arrows point where the head goes in the mirrored preview, in which a person's own left is the screen's left.
  TURN_LEFT: [line("M20 12H5M11 5.5L4.5 12l6.5 6.5")],
  TURN_RIGHT: [line("M4 12h15M13 5.5l6.5 6.5-6.5 6.5")],
  LOOK_UP: [line("M12 20V5M5.5 11L12 4.5l6.5 6.5")],
  LOOK_DOWN: [line("M12 4v15M5.5 13l6.5 6.5 6.5-6.5")],
  BLINK: [line("M3 10c2.2 3 5.2 4.6 9 4.6s6.8-1.6 9-4.6M5.6 13.2L4 15.6M12 14.8v2.8M18.4 13.2l1.6 2.4M8.6 14.3l-.8 2.6M15.4 14.3l.8 2.6")],
  SMILE: [HEAD, EYES, line("M8 14c2.2 3.2 5.8 3.2 8 0")],
  OPEN_MOUTH: [HEAD, EYES, ["ellipse", { ...LINE, cx: 12, cy: 16, rx: 2.4, ry: 2.8 }]],
};

/** The pictogram with this name; null if there is none. */
export function icon(name) {
  return name in SHAPES ? svg("0 0 24 24", ...SHAPES[name]) : null;
}
