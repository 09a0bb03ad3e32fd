// One attention matrix: the text with arcs, and the heat map (`heat_map.js`). All text is set through textContent.
// `data` is described in head_detail.py.

// Attention weights of a row, from the first token to its own; they sum to 1.
const looks = (root, row) => Array.from(root.matrix.subarray(before(row), before(row + 1)), (value) => value / 65535);

// Sentence with the row's token and the one that is predicted there.
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

// The text on one line, shaded by attention, with arcs from the row's token to those it attends to. Returns the element
// and a function for the scroll position that brings the row's token into view.
function drawSentence(root, data, row, choose) {
  const box = el("div", "line");
  const chips = el("div", "chips");
  const n = data.tokens.length;
  const weights = looks(root, row);
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
  root.matrix = new Uint16Array(bytes(data.matrix).buffer);
  root.small = half(root, data.tokens.length, (at) => root.matrix[at] / 65535);
  let { row } = heard(data, root, data.chosen);
  const drawAll = (follow) => keepPlace(root, () => drawParts(follow));
  const drawParts = (follow) => {
    const scroll = [root.querySelector(".line")?.scrollLeft, root.querySelector(".pane")?.scrollTop, root.querySelector(".pane")?.scrollLeft];
    root.replaceChildren();
    root.append(el("p", "note", data.note));
    drawQuestion(root, data, row);
    const [line, lineAt] = drawSentence(root, data, row, choose);
    const [pane, paneAt, paintMap] = drawMap(root, data, row, choose);
    drawTools(root, data, () => drawAll(true));
    const rows = () => looks(root, row).map((weight, i) => [data.tokens[i], percent(data, weight)]);
    root.append(asTable(root, "row", data.labels.table, data.labels.columns, rows));
    [line.scrollLeft, pane.scrollTop, pane.scrollLeft] = follow ? [lineAt(), ...paneAt()] : scroll;
    paintMap();
  };
  const choose = (chosen) => {
    row = chosen;
    drawAll(false);
    ask(component, root, "row", { row });
  };
  onResize(root, () => drawAll(false));
  drawAll(root.text !== data.text);
  root.text = data.text;
}
