// A replacement for CanvasRenderingContext2D that records SVG shapes instead of painting pixels; only the methods that
// the app's pictures use. Text stays text; a drawn image (a heat map, one pixel for each number) stays an image.

class Recorder {
  constructor(into, defs, pen) {
    Object.assign(this, { into, defs, pen, saved: [], path: "" });
    Object.assign(this, { fillStyle: "#000", strokeStyle: "#000", lineWidth: 1, font: "10px sans-serif", textAlign: "start", textBaseline: "alphabetic" });
  }

  nest(attributes) {
    const group = shape("g", attributes);
    this.into.append(group);
    this.into = group;
  }

  save() {
    const { into, fillStyle, strokeStyle, lineWidth, font, textAlign, textBaseline } = this;
    this.saved.push({ into, fillStyle, strokeStyle, lineWidth, font, textAlign, textBaseline });
  }

  restore() {
    Object.assign(this, this.saved.pop());
  }

  translate(x, y) {
    this.nest({ transform: `translate(${x} ${y})` });
  }

  rotate(angle) {
    this.nest({ transform: `rotate(${(angle * 180) / Math.PI})` });
  }

  beginPath() {
    this.path = "";
  }

  moveTo(x, y) {
    this.path += `M${+x.toFixed(2)} ${+y.toFixed(2)}`;
  }

  lineTo(x, y) {
    this.path += `L${+x.toFixed(2)} ${+y.toFixed(2)}`;
  }

  closePath() {
    this.path += "Z";
  }

  clip() {
    const id = `clip${this.defs.childNodes.length}`;
    const clip = shape("clipPath", { id });
    clip.append(shape("path", { d: this.path }));
    this.defs.append(clip);
    this.nest({ "clip-path": `url(#${id})` });
  }

  stroke() {
    const node = shape("path", { d: this.path, fill: "none", "stroke-width": this.lineWidth });
    this.put(node, "stroke", this.strokeStyle);
  }

  strokeRect(x, y, width, height) {
    this.put(shape("rect", { x, y, width, height, fill: "none", "stroke-width": this.lineWidth }), "stroke", this.strokeStyle);
  }

  put(node, name, color) {
    this.pen.fillStyle = color; // normalises any CSS colour to #rrggbb or rgba()
    if (this.pen.fillStyle.startsWith("#")) node.setAttribute(name, this.pen.fillStyle);
    else setColor(node, name, this.pen.fillStyle);
    this.into.append(node);
  }

  fillText(text, x, y, most = Infinity) {
    this.pen.font = this.font;
    const above = (baseline) => {
      this.pen.textBaseline = baseline;
      return this.pen.measureText("x").actualBoundingBoxAscent;
    };
    const lower = above("alphabetic") - above(this.textBaseline);
    this.pen.textBaseline = "alphabetic";
    const [, style, size, family] = this.font.match(/^(.*?)([\d.]+px)\s+(.*)$/);
    const anchor = { right: "end", end: "end", center: "middle" }[this.textAlign] ?? "start";
    const node = shape("text", { x, y: y + lower, "font-size": size, "font-family": family.replaceAll('"', "'"), "text-anchor": anchor, style: "white-space: pre" });
    if (style.trim()) node.setAttribute("font-weight", style.trim());
    if (this.pen.measureText(text).width > most) {
      node.setAttribute("textLength", most);
      node.setAttribute("lengthAdjust", "spacingAndGlyphs");
    }
    node.textContent = text;
    this.put(node, "fill", this.fillStyle);
  }

  // Scaled up here without smoothing: programs that smooth an enlarged image would blur a heat map.
  drawImage(image, x, y, width, height) {
    const large = document.createElement("canvas");
    const times = Math.max(1, Math.round((2 * width) / image.width));
    large.width = image.width * times;
    large.height = image.height * times;
    const paint = large.getContext("2d");
    paint.imageSmoothingEnabled = false;
    paint.drawImage(image, 0, 0, large.width, large.height);
    this.into.append(shape("image", { x, y, width, height, href: large.toDataURL("image/png"), preserveAspectRatio: "none", style: "image-rendering: pixelated" }));
  }
}
