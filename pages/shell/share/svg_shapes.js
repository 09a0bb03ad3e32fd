// SVG shapes that need no style sheet: colours as #rrggbb, and style as presentation attributes.

const SVG_NS = "http://www.w3.org/2000/svg";
const SKIPPED = ".stepper button, .tools button, input, textarea, select, label, .take, .turn, .card, .keys, .vega-actions, details:not([open]), .modebar, .hoverlayer";
const SHAPES = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "stroke-linejoin"];
const LETTERS = ["font-family", "font-size", "font-weight", "font-style", "text-anchor", "dominant-baseline", "text-decoration-line"];
const PLAIN = { "fill-opacity": "1", stroke: "none", "stroke-dasharray": "none", "stroke-opacity": "1", "stroke-linejoin": "miter", "font-style": "normal", "text-anchor": "start", "dominant-baseline": "auto", "text-decoration-line": "none", "font-weight": "400" };

const shape = (tag, attributes) => {
  const node = document.createElementNS(SVG_NS, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, typeof value === "number" ? +value.toFixed(2) : value);
  return node;
};

// A computed colour as [#rrggbb, opacity], which every program reads; null if it is not a colour (none, a pattern).
function plainColor(text) {
  const part = text.match(/^(rgba?|color)\((.*)\)$/);
  if (!part) return null;
  const numbers = part[2].replace("srgb", "").match(/-?[\d.]+(e[-+]?\d+)?/g).map(Number);
  const scale = part[1] === "color" ? 255 : 1;
  const hex = numbers.slice(0, 3).map((n) => Math.round(Math.max(0, Math.min(255, n * scale))).toString(16).padStart(2, "0"));
  return [`#${hex.join("")}`, numbers[3] ?? 1];
}

function setColor(node, name, text) {
  const color = plainColor(text);
  if (!color) return node.setAttribute(name, text.replaceAll('"', "'"));
  node.setAttribute(name, color[1] === 0 ? "none" : color[0]);
  if (color[1] > 0 && color[1] < 1) node.setAttribute(`${name}-opacity`, color[1]);
}

// Copy of an inline SVG: the same nodes with their computed style as attributes, without event handlers and links.
function copyDrawing(from) {
  const style = getComputedStyle(from);
  if (from.matches(SKIPPED) || (style.display === "none" && from.localName !== "defs") || from.localName === "script") return null;
  const to = document.createElementNS(SVG_NS, from.localName);
  for (const { name, value } of from.attributes) {
    if (/^(class|style|tabindex|role|xmlns.*|cursor|pointer-events|on.*|aria-.*|data-.*)$/.test(name)) continue;
    if (/href$/.test(name) && !/^(#|data:image\/)/.test(value)) continue;
    to.setAttribute(name.replace("xlink:", ""), value);
  }
  const text = from.localName === "text" || from.localName === "tspan";
  if (/^(path|rect|line|circle|ellipse|polyline|polygon|text|tspan|use)$/.test(from.localName)) {
    for (const name of text ? [...SHAPES, ...LETTERS] : SHAPES) {
      const value = style.getPropertyValue(name);
      if (value === PLAIN[name]) to.removeAttribute(name);
      else if (name === "fill" || name === "stroke") setColor(to, name, value);
      else if (name === "stroke-width" ? style.stroke !== "none" : true) to.setAttribute(name.replace("-line", ""), value.replaceAll('"', "'"));
    }
  } else if (from.localName === "stop") {
    setColor(to, "stop-color", style.stopColor);
  }
  if (text) to.setAttribute("style", "white-space: pre");
  if (style.opacity !== "1") to.setAttribute("opacity", style.opacity);
  for (const child of from.childNodes) {
    const copied = child.nodeType === 3 ? child.cloneNode() : child.nodeType === 1 ? copyDrawing(child) : null;
    if (copied) to.append(copied);
  }
  return to;
}

function gradient(id, stops) {
  const node = shape("linearGradient", { id });
  stops.forEach(([, color, places], i) => {
    for (const place of places.match(/[\d.]+/g) ?? [(100 * i) / Math.max(1, stops.length - 1)]) {
      const stop = shape("stop", { offset: `${place}%` });
      const [hex, opacity] = plainColor(color);
      stop.setAttribute("stop-color", hex);
      stop.setAttribute("stop-opacity", opacity);
      node.append(stop);
    }
  });
  return node;
}

function hatching(id, color) {
  const node = shape("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  node.append(shape("rect", { width: 2, height: 6, fill: plainColor(color)[0] }));
  return node;
}
