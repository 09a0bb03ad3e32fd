// An element as a standalone SVG: its boxes, text, inline SVGs and canvases. Everything becomes shapes and text (no
// embedded HTML), colours are resolved, and nothing external is referenced.

const MARGIN = 16;

// Expands scrolling areas, so that the picture is complete, and hides SKIPPED elements, so that they take no room.
// Returns a function that restores both.
function unfold(root) {
  const changed = [];
  for (const node of [root, ...root.querySelectorAll("*")]) {
    if (!(node instanceof HTMLElement)) continue;
    const skipped = node.matches(SKIPPED);
    const { overflowX, overflowY } = getComputedStyle(node);
    if (skipped || /auto|scroll/.test(overflowX + overflowY)) changed.push([node, node.style.cssText, node.scrollLeft, node.scrollTop, skipped]);
  }
  for (const [node, , , , skipped] of changed) {
    if (skipped) node.style.display = "none";
    if (skipped) continue;
    const wide = node.scrollWidth > node.clientWidth + 1;
    Object.assign(node.style, { overflow: "visible", maxHeight: "none", height: "auto" });
    if (wide) Object.assign(node.style, { width: "max-content", maxWidth: "none" });
  }
  return () => {
    for (const [node, style, left, top] of changed) {
      node.style.cssText = style;
      [node.scrollLeft, node.scrollTop] = [left, top];
    }
  };
}

class Drawing {
  constructor(root) {
    const { left, top } = root.getBoundingClientRect();
    this.left = left;
    this.top = top;
    this.width = this.height = 0;
    this.pen = document.createElement("canvas").getContext("2d");
    this.defs = shape("defs", {});
    this.content = shape("g", {});
    this.element(root, this.content);
  }

  // A client rectangle in the drawing's coordinates.
  box({ left, top, width, height }) {
    return { x: left - this.left, y: top - this.top, width, height };
  }

  // Appends a shape and extends the drawing to contain its box.
  put(into, node, { x, y, width, height }) {
    this.width = Math.max(this.width, x + width);
    this.height = Math.max(this.height, y + height);
    into.append(node);
  }

  element(node, into) {
    if (node.matches(SKIPPED)) return;
    const style = getComputedStyle(node);
    if (style.display === "none" || style.visibility === "hidden" || style.opacity === "0") return;
    if (style.clipPath !== "none") return; // text for screen readers
    let target = into;
    if (style.opacity !== "1") into.append((target = shape("g", { opacity: style.opacity })));
    if (node instanceof SVGSVGElement) return this.inner(node, target);
    if (node instanceof HTMLCanvasElement) return this.canvas(node, target);
    if (style.display !== "contents" && node.getClientRects().length) {
      this.background(node, style, target);
      this.borders(style, this.box(node.getBoundingClientRect()), target);
    }
    this.before(node, target);
    for (const child of node.childNodes) {
      if (child.nodeType === 3) this.text(child, node, style, target);
      else if (child.nodeType === 1) this.element(child, target);
    }
  }

  inner(node, into) {
    const box = this.box(node.getBoundingClientRect());
    if (!box.width || !box.height) return;
    const copied = copyDrawing(node);
    if (!node.getAttribute("viewBox")) copied.setAttribute("viewBox", `0 0 ${box.width} ${box.height}`);
    for (const [name, value] of Object.entries(box)) copied.setAttribute(name, +value.toFixed(2));
    copied.setAttribute("overflow", "visible");
    this.put(into, copied, box);
  }

  // A canvas with a `paint` function is painted again, on a Recorder (with `whole`, the element that has the full size
  // where the canvas shows only a part); any other canvas becomes an image.
  canvas(node, into) {
    const box = this.box((node.whole ?? node).getBoundingClientRect());
    if (node.paint) {
      const group = shape("g", { transform: `translate(${box.x} ${box.y})` });
      node.paint(new Recorder(group, this.defs, this.pen));
      this.put(into, group, box);
    } else {
      this.put(into, shape("image", { ...box, href: node.toDataURL("image/png") }), box);
    }
  }

  background(node, style, into) {
    const box = this.box(node.getBoundingClientRect());
    const corner = Math.min(parseFloat(style.borderTopLeftRadius) || 0, box.height / 2);
    const color = plainColor(style.backgroundColor);
    if (color && color[1] > 0) {
      const rect = shape("rect", { ...box, rx: corner });
      setColor(rect, "fill", style.backgroundColor);
      this.put(into, rect, box);
    }
    const stops = [...style.backgroundImage.matchAll(/((?:rgba?|color)\([^)]*\))((?:\s+[\d.]+(?:%|px))*)/g)];
    if (!stops.length) return;
    const id = `fill${this.defs.childNodes.length}`;
    this.defs.append(style.backgroundImage.startsWith("repeating") ? hatching(id, stops[0][1]) : gradient(id, stops));
    this.put(into, shape("rect", { ...box, rx: corner, fill: `url(#${id})` }), box);
  }

  borders(style, box, into) {
    const sides = ["Top", "Right", "Bottom", "Left"].map((side) => ({
      width: style[`border${side}Style`] === "none" ? 0 : parseFloat(style[`border${side}Width`]),
      color: style[`border${side}Color`],
      dash: { dotted: "1.5 2.5", dashed: "4 3" }[style[`border${side}Style`]],
    }));
    const same = sides.every((side) => side.width === sides[0].width && side.color === sides[0].color);
    const line = (node, { width, color, dash }) => {
      if (!width || plainColor(color)?.[1] === 0) return;
      node.setAttribute("stroke-width", width);
      node.setAttribute("fill", "none");
      setColor(node, "stroke", color);
      if (dash) node.setAttribute("stroke-dasharray", dash);
      this.put(into, node, box);
    };
    const half = sides.map((side) => side.width / 2);
    if (same) {
      const inner = { x: box.x + half[0], y: box.y + half[0], width: Math.max(0, box.width - 2 * half[0]), height: Math.max(0, box.height - 2 * half[0]) };
      return line(shape("rect", { ...inner, rx: parseFloat(style.borderTopLeftRadius) || 0 }), sides[0]);
    }
    const [x1, y1, x2, y2] = [box.x, box.y, box.x + box.width, box.y + box.height];
    line(shape("path", { d: `M${x1} ${y1 + half[0]}H${x2}` }), sides[0]);
    line(shape("path", { d: `M${x2 - half[1]} ${y1}V${y2}` }), sides[1]);
    line(shape("path", { d: `M${x1} ${y2 - half[2]}H${x2}` }), sides[2]);
    line(shape("path", { d: `M${x1 + half[3]} ${y1}V${y2}` }), sides[3]);
  }

  // The ::before pseudo-element: text in the first line, or an absolutely positioned box with borders.
  before(node, into) {
    const style = getComputedStyle(node, "::before");
    const words = style.content.match(/^"(.*)"$/)?.[1];
    if (words === undefined) return;
    const home = node.getBoundingClientRect();
    if (style.position === "absolute") {
      const [left, top, width, height] = ["left", "top", "width", "height"].map((name) => parseFloat(style[name]));
      return this.borders(style, this.box({ left: home.left + left, top: home.top + top, width, height }), into);
    }
    const first = document.createTreeWalker(node, NodeFilter.SHOW_TEXT).nextNode();
    if (!words.trim() || !first) return;
    const [run] = runsOf(first, Infinity);
    const left = home.left + parseFloat(getComputedStyle(node).paddingLeft);
    if (run) this.letters({ ...run, text: words, left, right: left }, style, into, getComputedStyle(node));
  }

  text(node, element, style, into) {
    if (!node.data.trim()) return;
    const holder = element.closest("*");
    const clipped = getComputedStyle(holder).textOverflow === "ellipsis" && holder.scrollWidth > holder.clientWidth + 1;
    const limit = clipped ? holder.getBoundingClientRect().right - parseFloat(style.paddingRight) : Infinity;
    for (const run of runsOf(node, limit)) this.letters(run, style, into);
  }

  letters(run, style, into, measured = style) {
    const font = ({ fontStyle, fontWeight, fontSize, fontFamily }) => `${fontStyle} ${fontWeight} ${fontSize} ${fontFamily}`;
    this.pen.font = font(measured);
    const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = this.pen.measureText("x");
    const box = this.box({ left: run.left, top: run.top, width: run.right - run.left, height: run.height });
    const node = shape("text", { x: box.x, y: box.y + (run.height - up - down) / 2 + up, "font-family": style.fontFamily.replaceAll('"', "'"), "font-size": style.fontSize, style: "white-space: pre" });
    if (style.fontWeight !== "400") node.setAttribute("font-weight", style.fontWeight);
    if (style.fontStyle !== "normal") node.setAttribute("font-style", style.fontStyle);
    if (style.textDecorationLine !== "none") node.setAttribute("text-decoration", style.textDecorationLine);
    // Keeps the width of the text where another program substitutes the font.
    if (box.width && [...run.text].length > 1) {
      node.setAttribute("textLength", +box.width.toFixed(2));
      node.setAttribute("lengthAdjust", "spacingAndGlyphs");
    }
    setColor(node, "fill", style.color);
    node.textContent = run.text;
    this.put(into, node, box);
  }
}

// Lines of a text node: {text, left, right, top, height} each. Text right of `limit` is replaced by an ellipsis.
function runsOf(node, limit) {
  const range = document.createRange();
  const runs = [];
  let at = 0;
  let cut = false;
  for (const char of node.data) {
    range.setStart(node, at);
    range.setEnd(node, (at += char.length));
    const box = range.getClientRects()[0];
    if (!box || char === "\n" || cut) continue;
    let run = runs.at(-1);
    if (!run || Math.abs(run.top - box.top) > 2) runs.push((run = { text: "", left: box.left, right: box.left, top: box.top, height: box.height }));
    cut = box.right > limit + 0.5;
    run.text += cut ? "…" : char;
    run.left = Math.min(run.left, box.left);
    run.right = Math.max(run.right, cut ? run.right : box.right);
  }
  return runs.filter((run) => run.text.trim());
}

// {text, width, height}: the SVG of the elements on a background of colour `paper`.
function vector(elements, paper, title) {
  const undo = elements.map(unfold);
  try {
    const drawings = elements.map((element) => new Drawing(element));
    const width = Math.ceil(Math.max(...drawings.map((drawing) => drawing.width)) + 2 * MARGIN);
    const height = Math.ceil(Math.max(...drawings.map((drawing) => drawing.height)) + 2 * MARGIN);
    const whole = shape("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
    const name = shape("title", {});
    name.textContent = title;
    whole.append(name, shape("rect", { width, height, fill: paper }));
    for (const drawing of drawings) {
      drawing.content.setAttribute("transform", `translate(${MARGIN} ${MARGIN})`);
      whole.append(drawing.defs, drawing.content);
    }
    return { text: new XMLSerializer().serializeToString(whole), width, height };
  } finally {
    undo.forEach((put) => put());
  }
}
