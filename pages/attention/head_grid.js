// All attention heads as a grid of small maps, a row per layer. Where they do not fit at a size that can be hit, the grid
// scrolls within its pane; the numbers of layers and heads stay in sight. `data` is described in head_overview.py.

const LEFT = 26; // pixels: numbers of the layers
const TOP = 20; // numbers of the heads
const LEAST = 24; // a map with its gap
const LEAST_FOR_FINGERS = 32; // the same where the window has the width for it
const MOST = 82;
const FADE = 16; // at an edge beyond which the grid goes on; see the style

// One canvas per head, cached until the maps or the theme change.
function pictures(root, data) {
  const made = [data.maps, data.dark].join();
  if (root.made !== made) {
    root.made = made;
    const maps = bytes(data.maps);
    const pairs = before(data.side);
    root.pictures = Array.from({ length: data.layers * data.heads }, (_, i) => half(root, data.side, (at) => maps[i * pairs + at] / 255));
  }
  return root.pictures;
}

// The pane with an empty grid, made once.
function makePane() {
  const pane = el("div", "pane");
  const grid = el("div", "grid");
  const canvas = el("canvas");
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application"); // so that screen readers pass on the arrow keys
  grid.append(el("div", "corner"), el("div", "heads"), el("div", "layers"), canvas);
  pane.append(grid);
  return pane;
}

// Size in pixels of a map with its gap. Gives the pane its height, and a scroll bar if it needs one.
function measureStep(root, pane, { layers, heads }) {
  const most = Math.min(620, (0.8 * innerHeight) / scaleOf(root));
  const least = matchMedia("(pointer: coarse)").matches ? LEAST_FOR_FINGERS : LEAST;
  const high = Math.floor((most - TOP) / layers);
  pane.style.maxHeight = `${most}px`;
  pane.style.overflowY = high < least ? "scroll" : "hidden";
  const wide = Math.floor((pane.clientWidth - LEFT) / heads);
  return Math.max(LEAST, Math.min(MOST, wide, Math.max(least, high)));
}

function paintMaps(paint, root, data, step, opened) {
  const size = step - (step < 50 ? 3 : 6);
  const [line, pick] = ["line", "pick"].map((name) => color(root, name));
  paint.imageSmoothingEnabled = false;
  pictures(root, data).forEach((map, i) => {
    const [layer, head] = [Math.floor(i / data.heads), i % data.heads];
    const [x, y] = [head * step + 2, layer * step + 2]; // room for the outline
    const open = opened?.layer === layer && (opened.head ?? head) === head;
    paint.drawImage(map, x, y, size, size);
    paint.strokeStyle = open ? pick : line;
    paint.lineWidth = open ? 3 : 1;
    paint.strokeRect(x - 0.5, y - 0.5, size + 1, size + 1);
  });
}

// Numbers along an axis, each as long as a map with its gap.
function number(axis, count, side, step) {
  axis.replaceChildren(...Array.from({ length: count }, (_, i) => el("span", "", i + 1)));
  for (const name of axis.children) name.style[side] = `${step}px`;
}

// Draws the grid into the pane. Returns functions: `paint(opened)` outlines the opened head, `find(event)` returns the
// head at a place, `reveal(head)` scrolls it into view.
function drawGrid(root, pane, data) {
  const step = measureStep(root, pane, data);
  const [, heads, layers, canvas] = pane.firstChild.children;
  number(heads, data.heads, "width", step);
  number(layers, data.layers, "height", step);
  const sides = [data.heads * step, data.layers * step];
  const ratio = (window.devicePixelRatio || 1) * scaleOf(root);
  [canvas.width, canvas.height] = sides.map((pixels) => pixels * ratio);
  [canvas.style.width, canvas.style.height] = sides.map((pixels) => `${pixels}px`);
  const fade = () => {
    pane.classList.toggle("below", pane.scrollTop + pane.clientHeight < pane.scrollHeight - 1);
    pane.classList.toggle("beyond", pane.scrollLeft + pane.clientWidth < pane.scrollWidth - 1);
  };
  const paint = (opened) => {
    canvas.paint = (context) => paintMaps(context, root, data, step, opened); // svg_drawing.js calls it, too
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, ...sides);
    canvas.paint(context);
  };
  const find = (event) => {
    const { left, top } = canvas.getBoundingClientRect();
    const [head, layer] = [event.clientX - left, event.clientY - top].map((at) => Math.floor(at / scaleOf(canvas) / step));
    return head >= 0 && head < data.heads && layer >= 0 && layer < data.layers ? { layer, head } : null;
  };
  const near = (now, from, room) => Math.min(from, Math.max(now, from + step + FADE - room));
  const reveal = ({ layer, head }) => {
    pane.scrollTop = near(pane.scrollTop, layer * step, pane.clientHeight - TOP);
    if (head !== null) pane.scrollLeft = near(pane.scrollLeft, head * step, pane.clientWidth - LEFT);
  };
  pane.onscroll = fade;
  fade();
  return { paint, find, reveal };
}
