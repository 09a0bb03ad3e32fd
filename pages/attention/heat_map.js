// Heat map of one attention matrix, a row per token. Only the visible part is painted; both axes stay visible while the
// map scrolls. `root.matrix` is the lower triangle, row by row: see head_detail.py.

const NAMED = 13; // minimum cell size in pixels for labelling each token on the axes

// Sizes in pixels: of a cell, the left and top axes, and the whole map.
function measure(root, { tokens }) {
  const n = tokens.length;
  const fit = Math.floor((root.clientWidth - 96) / n);
  const cell = Math.max(2, Math.min(30, Math.round(Math.max(fit, n > 128 ? 2 : 14) * (root.zoom ?? 1))));
  const font = Math.max(12, Math.min(14, cell));
  const longest = Math.min(84, Math.max(...tokens.map((token) => textWidth(token, font))) + 8);
  const left = longest + 14;
  const top = cell < NAMED ? 20 : longest + 4;
  const size = n * cell;
  const mono = getComputedStyle(root).getPropertyValue("--mono");
  return { n, cell, font, mono, longest, left, top, size, width: left + size + 22, height: top + size + 4 };
}

function within(paint, [left, top, right, bottom], draw) {
  paint.save();
  paint.beginPath();
  paint.moveTo(left, top);
  paint.lineTo(right, top);
  paint.lineTo(right, bottom);
  paint.lineTo(left, bottom);
  paint.closePath();
  paint.clip();
  draw();
  paint.restore();
}

// Hatching of the visible part of the upper triangle: a token cannot attend to later ones.
function paintImpossible(paint, { size }, [left, top, right, bottom], [x, y], style) {
  paint.save();
  paint.beginPath();
  paint.moveTo(x, y);
  paint.lineTo(x + size, y);
  paint.lineTo(x + size, y + size);
  paint.closePath();
  paint.clip();
  paint.strokeStyle = style;
  paint.lineWidth = 0.6;
  const [first, last] = [Math.ceil((left - x + top - y) / 8) * 8, right - x + bottom - y];
  for (let sum = first; sum < last; sum += 8) {
    paint.beginPath();
    paint.moveTo(x + sum - (top - y), top);
    paint.lineTo(x + sum - (bottom - y), bottom);
    paint.stroke();
  }
  paint.restore();
}

// Labels of rows and columns: each token, or where cells are too small, some of the positions.
function paintAxes(paint, { n, cell, font, mono, longest, left, top }, tokens, chosen, [width, height], [x, y], { soft, pick }) {
  const named = cell >= NAMED;
  const step = named ? 1 : [10, 20, 50, 100].find((each) => each * cell >= 40) ?? 200;
  const shown = (from, to, most) => Array.from({ length: n }, (_, i) => i).filter((i) => (named || (i + 1) % step === 0) && from + (i + 1) * cell > most && from + i * cell < to);
  const word = (i) => (named ? tokens[i] : String(i + 1));
  paint.font = `${font}px ${mono}`;
  paint.textBaseline = "middle";
  within(paint, [0, top, left, height], () => {
    paint.textAlign = "right";
    const rows = shown(y, height, top).filter((i) => i !== chosen && (named || Math.abs(i - chosen) * cell > font));
    for (const i of rows) {
      paint.fillStyle = soft;
      paint.fillText(word(i), left - 12, y + (i + 0.5) * cell, longest);
    }
    paint.fillStyle = pick;
    paint.fillText(tokens[chosen], left - 12, y + (chosen + 0.5) * cell, longest);
    paint.textAlign = "left";
    paint.font = "10px sans-serif";
    paint.fillText("▶", left - 11, y + (chosen + 0.5) * cell);
  });
  paint.font = `${font}px ${mono}`;
  within(paint, [left, 0, width, top], () => {
    paint.fillStyle = soft;
    for (const i of shown(x, width, left)) {
      paint.save();
      paint.translate(x + (i + 0.5) * cell, named ? top - 4 : top - 9);
      if (named) paint.rotate(-Math.PI / 2);
      paint.textAlign = named ? "left" : "center";
      paint.fillText(word(i), 0, 0, longest);
      paint.restore();
    }
  });
}

// The map and its axes on a canvas of a given size, shifted by the scroll offset.
function paintMap(paint, root, data, sizes, chosen, [width, height], [right, down]) {
  const { n, cell, mono, left, top, size } = sizes;
  const colors = Object.fromEntries(["soft", "cut", "pick"].map((name) => [name, color(root, name)]));
  const from = [left - right, top - down];
  const [x, y] = from;
  within(paint, [left, top, width, height], () => {
    paintImpossible(paint, sizes, [left, top, width, height], from, colors.cut);
    paint.imageSmoothingEnabled = false;
    paint.drawImage(root.small, x, y, size, size);
    // The last row predicts the next token.
    paint.fillStyle = colors.pick;
    paint.textAlign = "left";
    paint.textBaseline = "middle";
    paint.font = `bold 13px ${mono}`;
    paint.fillText("？", x + size + 4, y + Math.min((n - 0.5) * cell, size - 7));
  });
  within(paint, [left - 2, top - 2, width, height], () => {
    paint.strokeStyle = colors.pick;
    paint.lineWidth = 2;
    paint.strokeRect(x - 1, y + chosen * cell - 1, (chosen + 1) * cell + 2, cell + 2);
  });
  paintAxes(paint, sizes, data.tokens, chosen, [width, height], from, colors);
}

// Appends the map to `root`. Returns the scrolling pane, a function for its preferred scroll position, and one that
// repaints it.
function drawMap(root, data, chosen, choose) {
  const sizes = measure(root, data);
  const { n, cell, left, top, width, height } = sizes;
  const canvas = el("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", data.labels.map);
  const pane = el("div", "pane");
  const whole = el("div", "whole");
  const told = el("div", "told");
  whole.style.width = `${width}px`;
  whole.style.height = `${height}px`;
  whole.append(canvas);
  pane.append(whole);
  root.append(el("div", "map", data.labels.map), pane, told);
  // Also called by svg_drawing.js for the whole map, with a context that records shapes.
  canvas.whole = whole;
  canvas.paint = (paint) => paintMap(paint, root, data, sizes, chosen, [width, height], [0, 0]);
  const seen = [Math.min(width, pane.clientWidth), Math.min(height, pane.clientHeight)];
  const ratio = (window.devicePixelRatio || 1) * scaleOf(root);
  [canvas.width, canvas.height] = seen.map((pixels) => pixels * ratio);
  [canvas.style.width, canvas.style.height] = seen.map((pixels) => `${pixels}px`);
  const paint = canvas.getContext("2d");
  const again = () => {
    paint.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint.clearRect(0, 0, ...seen);
    paintMap(paint, root, data, sizes, chosen, seen, [pane.scrollLeft, pane.scrollTop]);
  };
  pane.onscroll = again;
  const find = (event) => {
    const box = canvas.getBoundingClientRect();
    const scale = scaleOf(canvas);
    const [x, y] = [(event.clientX - box.left) / scale, (event.clientY - box.top) / scale];
    const row = Math.floor((y - top + pane.scrollTop) / cell);
    const column = Math.floor((x - left + pane.scrollLeft) / cell);
    return y >= top && row >= 0 && row < n ? [row, x < left ? -1 : column] : null;
  };
  canvas.onpointermove = (event) => {
    const at = find(event);
    if (!at || at[1] < 0 || at[1] >= n) return void (told.textContent = "");
    const [row, column] = at;
    const words = column > row ? data.labels.ahead : data.labels.told;
    const p = column > row ? 0 : root.matrix[before(row) + column] / 65535;
    told.textContent = fill(words, { row: data.tokens[row], column: data.tokens[column], p: percent(data, p) });
  };
  canvas.onpointerleave = () => (told.textContent = "");
  canvas.onclick = (event) => {
    const at = find(event);
    if (at) choose(at[0]);
  };
  const best = () => [
    Math.max(0, top + chosen * cell - pane.clientHeight * 0.7),
    Math.max(0, left + chosen * cell - pane.clientWidth * 0.7),
  ];
  return [pane, best, again];
}
