// One head: arcs over the sentence, and the heat map. All text goes in through textContent. See one_head.py.

const MONO = '"Noto Sans Mono CJK TC", "Noto Sans TC", monospace';

const wide = (text, size) => [...text].reduce((sum, char) => sum + (char.codePointAt(0) > 0x2e7f ? size : size / 2), 0);

const read = (text) => {
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  return new Uint16Array(bytes.buffer);
};

const color = (root, name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

// What the row asks: its own token, and the one that it was used to predict.
function drawQuestion(root, data, row) {
  const line = el("p", "asks");
  const last = row === data.tokens.length - 1;
  const pieces = (last ? data.labels.asks_next : data.labels.asks).split(/(\{row\}|\{following\})/);
  for (const piece of pieces) {
    if (piece === "{row}") line.append(el("b", "", data.tokens[row]));
    else if (piece === "{following}") line.append(el("b", "", data.tokens[row + 1]));
    else line.append(piece);
  }
  root.append(line);
}

// The sentence on one line, shaded by how much each token was looked at, arcs from the row's token to them.
function drawSentence(root, data, row, choose) {
  const box = el("div", "line");
  const chips = el("div", "chips");
  const n = data.tokens.length;
  const weights = Array.from(root.matrix.subarray(row * n, row * n + row + 1), (value) => value / 65535);
  const most = Math.max(...weights, 1e-9);
  data.tokens.forEach((token, i) => {
    const chip = el("button", i === row ? "at" : i > row ? "later" : "", token);
    chip.type = "button";
    chip.dir = "auto";
    if (i <= row) {
      const share = Math.sqrt(weights[i] / most).toFixed(2);
      chip.style.background = `color-mix(in srgb, var(--attention) calc(${share} * var(--deepest)), transparent)`;
      chip.title = fill(data.labels.told, { column: token, row: data.tokens[row], p: percent(data, weights[i]) });
    }
    chip.onclick = () => choose(i);
    chip.dataset.keep = `chip ${i}`;
    if (i === row) chip.setAttribute("aria-current", "true");
    chips.append(chip);
    if (i === row && row === n - 1) chips.append(el("span", "ask", "？"));
  });
  chips.setAttribute("role", "toolbar");
  chips.setAttribute("aria-label", data.labels.text);
  roam(chips, "button", chips.children[row]);
  box.append(chips);
  root.append(box);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const middle = [...chips.querySelectorAll("button")].map((chip) => chip.offsetLeft + chip.offsetWidth / 2);
  const height = 84;
  svg.setAttribute("width", chips.scrollWidth);
  svg.setAttribute("height", height);
  weights.forEach((weight, i) => {
    if (weight < 0.01) return;
    const from = middle[row];
    const to = middle[i];
    const rise = i === row ? 30 : Math.min(height - 8, 22 + Math.abs(from - to) / 5);
    const arc = document.createElementNS("http://www.w3.org/2000/svg", "path");
    const bend = i === row ? `M${from - 7} ${height} C${from - 16} ${height - rise} ${from + 16} ${height - rise} ${from + 7} ${height}` : `M${from} ${height} C${from} ${height - rise} ${to} ${height - rise} ${to} ${height}`;
    arc.setAttribute("d", bend);
    arc.setAttribute("class", "arc");
    arc.setAttribute("stroke-width", 1 + 9 * weight);
    arc.setAttribute("opacity", 0.25 + 0.75 * Math.sqrt(weight));
    svg.append(arc);
  });
  box.prepend(svg);
  return [box, () => Math.max(0, middle[row] - box.clientWidth * 0.7)];
}

// The matrix as a picture, a pixel a pair of tokens: made once for a head and a text.
function picture(root, data) {
  const n = data.tokens.length;
  const matrix = read(data.matrix);
  const image = new ImageData(n, n);
  const [from, to] = [rgb(color(root, "paper")), rgb(color(root, "attention"))];
  for (let i = 0; i < n * n; i++) {
    const share = Math.sqrt(matrix[i] / 65535);
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = from[c] + (to[c] - from[c]) * share;
    image.data[4 * i + 3] = i % n > Math.floor(i / n) ? 0 : 255;
  }
  const small = document.createElement("canvas");
  small.width = small.height = n;
  small.getContext("2d").putImageData(image, 0, 0);
  return [matrix, small];
}

function drawMap(root, data, chosen, choose) {
  const n = data.tokens.length;
  const matrix = root.matrix;
  const canvas = el("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", data.labels.map);
  const pane = el("div", "pane");
  const told = el("div", "told");
  const fit = Math.floor((root.clientWidth - 96) / n);
  const cell = Math.max(2, Math.min(30, Math.round(Math.max(fit, n > 128 ? 2 : 12) * (root.zoom ?? 1))));
  const named = cell >= 11;
  const font = Math.min(14, cell);
  const longest = Math.min(84, Math.max(...data.tokens.map((token) => wide(token, font))) + 8);
  const left = named ? longest + 14 : 16;
  const top = named ? longest + 4 : 6;
  const width = left + n * cell + 20;
  const height = top + n * cell + 4;
  const ratio = n * cell > 3000 ? 1 : window.devicePixelRatio || 1;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const [soft, cut, pick] = ["soft", "cut", "pick"].map((name) => color(root, name));
  // Also for what saves pictures: it paints once more, on a context of its own.
  canvas.paint = (paint) => {
    // The half that cannot be: a token never looks at what comes after it.
    paint.save();
    paint.beginPath();
    paint.moveTo(left, top);
    paint.lineTo(left + n * cell, top);
    paint.lineTo(left + n * cell, top + n * cell);
    paint.closePath();
    paint.clip();
    paint.strokeStyle = cut;
    paint.lineWidth = 0.6;
    for (let x = -n * cell; x < n * cell; x += 8) {
      paint.beginPath();
      paint.moveTo(left + x, top + n * cell);
      paint.lineTo(left + x + n * cell, top);
      paint.stroke();
    }
    paint.restore();
    paint.imageSmoothingEnabled = false;
    paint.drawImage(root.small, left, top, n * cell, n * cell);
    paint.font = `${font}px ${MONO}`;
    paint.textBaseline = "middle";
    if (named) {
      data.tokens.forEach((token, i) => {
        paint.fillStyle = i === chosen ? pick : soft;
        paint.textAlign = "right";
        paint.fillText(token, left - 12, top + (i + 0.5) * cell, longest);
        paint.save();
        paint.translate(left + (i + 0.5) * cell, top - 4);
        paint.rotate(-Math.PI / 2);
        paint.textAlign = "left";
        paint.fillStyle = soft;
        paint.fillText(token, 0, 0, longest);
        paint.restore();
      });
    }
    paint.strokeStyle = pick;
    paint.lineWidth = 2;
    paint.strokeRect(left - 1, top + chosen * cell - 1, (chosen + 1) * cell + 2, cell + 2);
    paint.fillStyle = pick;
    paint.textAlign = "left";
    paint.font = "10px sans-serif";
    paint.fillText("▶", left - 11, top + (chosen + 0.5) * cell);
    // The last row is always the one that predicts the next token.
    paint.font = `bold 13px ${MONO}`;
    paint.fillText("？", left + n * cell + 4, top + (n - 0.5) * cell);
  };
  const paint = canvas.getContext("2d");
  paint.scale(ratio, ratio);
  canvas.paint(paint);
  pane.append(canvas);
  root.append(el("div", "map", data.labels.map), pane, told);
  const find = (event) => {
    const box = canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - left) / cell);
    const row = Math.floor((event.clientY - box.top - top) / cell);
    return row >= 0 && row < n ? [row, column] : null;
  };
  canvas.onpointermove = (event) => {
    const at = find(event);
    if (!at || at[1] < 0 || at[1] >= n) return void (told.textContent = "");
    const [row, column] = at;
    const words = column > row ? data.labels.ahead : data.labels.told;
    const p = column > row ? 0 : matrix[row * n + column] / 65535;
    told.textContent = fill(words, { row: data.tokens[row], column: data.tokens[column], p: percent(data, p) });
  };
  canvas.onpointerleave = () => (told.textContent = "");
  canvas.onclick = (event) => {
    const at = find(event);
    if (at) choose(at[0]);
  };
  return [pane, () => [
    Math.max(0, top + chosen * cell - pane.clientHeight * 0.7),
    Math.max(0, left + chosen * cell - pane.clientWidth * 0.7),
  ]];
}

function drawTools(root, data, again) {
  const tools = el("div", "tools");
  for (const [sign, title, factor] of [["−", data.labels.smaller, 0.75], ["+", data.labels.larger, 4 / 3]]) {
    const button = el("button", "", sign);
    button.type = "button";
    button.title = title;
    button.setAttribute("aria-label", title);
    button.dataset.keep = title;
    button.onclick = () => {
      root.zoom = Math.max(0.3, Math.min(4, (root.zoom ?? 1) * factor));
      again();
    };
    tools.append(button);
  }
  tools.append(el("span", "", data.labels.legend));
  root.append(tools);
}

export default function (component) {
  const { data } = component;
  const root = rootOf(component);
  [root.matrix, root.small] = picture(root, data);
  let { row } = heard(data, root, data.chosen);
  const drawAll = (follow) => keepPlace(root, () => drawParts(follow));
  const drawParts = (follow) => {
    const scroll = [root.querySelector(".line")?.scrollLeft, root.querySelector(".pane")?.scrollTop, root.querySelector(".pane")?.scrollLeft];
    root.replaceChildren();
    root.append(el("p", "note", data.note));
    drawQuestion(root, data, row);
    const [line, lineAt] = drawSentence(root, data, row, choose);
    const [pane, paneAt] = drawMap(root, data, row, choose);
    drawTools(root, data, () => drawAll(true));
    const n = data.tokens.length;
    const rows = () => data.tokens.slice(0, row + 1).map((token, i) => [token, percent(data, root.matrix[row * n + i] / 65535)]);
    root.append(asTable(root, "row", data.labels.table, data.labels.columns, rows));
    [line.scrollLeft, pane.scrollTop, pane.scrollLeft] = follow ? [lineAt(), ...paneAt()] : scroll;
  };
  const choose = (chosen) => {
    row = chosen;
    drawAll(false);
    ask(component, root, "row", { row });
  };
  drawAll(root.text !== data.text);
  root.text = data.text;
}
