// Diagram of the whole model. All text is set through textContent. `data` is described in diagram.py.

const WIDE = 660; // pixels of the component from which the numbers stand beside the diagram

// Bars of a vector, up and down from a line in the middle.
function vectorPicture(values, height, name) {
  const most = Math.max(...values.map(Math.abs), 1e-9), step = 5;
  const picture = svg("svg", { viewBox: `0 0 ${Math.max(1, values.length) * step} ${height}`, preserveAspectRatio: "none", class: "vector" });
  picture.setAttribute(...(name ? ["aria-label", name] : ["aria-hidden", "true"]));
  if (name) picture.setAttribute("role", "img");
  picture.append(svg("line", { x1: 0, x2: values.length * step, y1: height / 2, y2: height / 2, class: "zero" }));
  values.forEach((value, i) => {
    const size = Math.max(0.5, (Math.abs(value) / most) * (height / 2 - 1));
    picture.append(svg("rect", { x: i * step + 0.5, width: step - 1, y: value < 0 ? height / 2 : height / 2 - size, height: size, class: value < 0 ? "down" : "up" }));
  });
  return picture;
}

// A line over the layers, from the first input on; the dot is at the layer shown.
function linePicture({ values, at, texts }, width, height, name) {
  const most = Math.max(...values, 1e-9), x = (i) => 8 + (i / Math.max(1, values.length - 1)) * (width - 16);
  const y = (value) => height - 6 - (value / most) * (height - 30);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "lengths" });
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", name);
  picture.append(svg("path", { d: `M${values.map((value, i) => `${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join("L")}`, class: "stroke" }));
  values.forEach((value, i) => picture.append(svg("circle", { cx: x(i), cy: y(value), r: i === at ? 4.5 : 2.5, class: i === at ? "now" : "point" })));
  for (const i of new Set([0, at, values.length - 1])) {
    const anchor = i === 0 ? "start" : i === values.length - 1 ? "end" : "middle";
    picture.append(svg("text", { x: x(i), y: Math.max(12, y(values[i]) - 9), "text-anchor": anchor }, texts[i]));
  }
  return picture;
}

function smallPicture(picture) {
  const box = el("span", `picture ${picture.kind}`);
  if (picture.kind === "tokens") {
    if (picture.more) box.append(el("i", "", "…"));
    for (const token of picture.tokens) box.append(Object.assign(el("b", "", token), { dir: "auto" }));
  } else if (picture.kind === "vector") box.append(vectorPicture(picture.values, 22));
  else {
    const low = picture.kind === "bars" ? Math.min(0, ...picture.values) : 0;
    const most = Math.max(...picture.values.map((value) => value - low), 1e-9);
    for (const value of picture.values) {
      const bar = el("i");
      if (picture.kind === "weights") bar.style.opacity = (0.08 + 0.92 * Math.sqrt(value)).toFixed(2);
      else bar.style.width = `${Math.max(2, (100 * (value - low)) / most)}%`;
      box.append(bar);
    }
  }
  return box;
}

function drawRange(name, word, last, value, told, change) {
  const box = el("label", "range");
  const text = el("span", "", told(value));
  const range = el("input");
  Object.assign(range, { type: "range", min: 0, max: last, step: 1, value });
  range.setAttribute("aria-label", word);
  range.setAttribute("aria-valuetext", told(value));
  range.dataset.keep = name;
  range.oninput = () => {
    text.textContent = told(range.value);
    range.setAttribute("aria-valuetext", told(range.value));
  };
  range.onchange = () => change(Number(range.value));
  box.append(text, range);
  return box;
}

function drawTable(block) {
  const scroll = el("div", "scroll");
  const table = el("table", block.tone);
  table.append(el("caption", "", block.name));
  const head = el("tr");
  for (const column of block.columns) head.append(Object.assign(el("th", "", column), { scope: "col" }));
  const body = el("tbody");
  block.rows.forEach((cells, at) => {
    const row = el("tr", at === block.mark ? "mark" : "");
    cells.forEach((cell, i) => {
      const place = el(i ? "td" : "th");
      if (!i) place.scope = "row";
      const word = el("span", "", cell);
      word.dir = "auto";
      place.append(word);
      if (i === cells.length - 1 && block.shares.length) {
        const bar = el("i");
        bar.style.setProperty("--share", Math.abs(block.shares[at]).toFixed(4));
        if (block.shares[at] < 0) bar.className = "negative";
        place.classList.add("shared");
        place.append(bar);
      }
      row.append(place);
    });
    body.append(row);
  });
  const top = el("thead");
  top.append(head);
  table.append(top, body);
  scroll.append(table);
  return scroll;
}

function drawBlock(root, data, block, at, choose) {
  const { labels } = data;
  if (block.kind === "text") return el("p", "", block.text);
  if (block.kind === "table") return drawTable(block);
  if (block.kind === "head") {
    const told = (head) => fill(labels.head, { head: Number(head) + 1, heads: data.heads });
    return drawRange("head", labels.heads, data.heads - 1, root.shown.head, told, (head) => choose({ head }));
  }
  const box = el("figure");
  box.append(el("figcaption", "", block.name));
  const rows = block.kind === "vector"
    ? () => block.values.map((value, i) => [String(i + 1), String(value).replace("-", "−")])
    : () => block.texts.map((value, i) => [String(i), value]);
  box.append(block.kind === "vector" ? vectorPicture(block.values, 56, block.name) : linePicture(block, 420, 110, block.name));
  if (block.note) box.append(el("small", "", block.note));
  box.append(asTable(root, `${data.chosen.box} ${at}`, labels.numbers, block.columns ?? labels.number, rows));
  return box;
}

function drawDetail(root, component, choose) {
  const { data } = component;
  const [key, title, note, , blocks, link] = data.boxes.find(([name]) => name === root.shown.box);
  const panel = el("section", "detail");
  panel.part = "detail";
  panel.setAttribute("aria-live", "polite");
  panel.setAttribute("aria-label", title);
  const waits = root.shown.layer !== data.chosen.layer || root.shown.head !== data.chosen.head;
  panel.classList.toggle("waits", waits);
  const head = el("h2", "", title);
  head.append(el("small", "", note));
  panel.append(head);
  blocks.forEach((block, at) => panel.append(drawBlock(root, data, block, at, choose)));
  if (link) {
    const button = makeButton("go", `${link} →`, () => component.setTriggerValue("leave", { box: key }));
    button.dataset.keep = "go";
    panel.append(button);
  }
  return panel;
}

function drawBox(root, [key, title, note, picture], choose) {
  const box = makeButton("box", "", () => choose({ box: key }));
  const open = root.shown.box === key;
  box.dataset.box = box.dataset.keep = key;
  box.part = key;
  box.setAttribute("aria-expanded", String(open));
  box.classList.toggle("open", open);
  const words = el("span", "words");
  words.append(el("strong", "", title), el("small", "", note));
  box.append(words, smallPicture(picture));
  return box;
}

function drawFlow(root, component, choose, beside) {
  const { data } = component;
  const flow = el("div", "flow");
  flow.setAttribute("role", "group");
  flow.setAttribute("aria-label", data.labels.flow);
  const drawing = svg("svg", { class: "wires", "aria-hidden": "true" });
  flow.append(drawing);
  const layers = el("div", "layers");
  const told = (layer) => fill(data.labels.layer, { layer: Number(layer) + 1, layers: data.layers });
  layers.append(el("span", "times", fill(data.labels.times, { layers: data.layers })));
  const slider = drawRange("layer", data.labels.layers, data.layers - 1, root.shown.layer, told, (layer) => choose({ layer }));
  slider.part = "layer";
  layers.append(slider);
  for (const box of data.boxes) {
    const inside = data.inside.includes(box[0]);
    if (inside) flow.append(layers);
    const home = inside ? layers : flow;
    home.append(drawBox(root, box, choose));
    if (!beside && root.shown.box === box[0]) home.append(drawDetail(root, component, choose));
  }
  const moves = el("div", "moves");
  for (const [name, usable] of [["back", data.begun], ["append", !data.ended]]) {
    const button = makeButton(name, data.labels[name === "append" ? "next" : name], () => component.setTriggerValue(name, { text: data.text }));
    button.disabled = !usable;
    button.dataset.keep = name;
    moves.append(button);
  }
  flow.append(moves, el("span", "loop", data.labels.loop));
  return [flow, drawing];
}

export default function (component) {
  const { data } = component;
  const root = rootOf(component);
  root.shown = heard(data, root, data.chosen);
  const isNew = root.text !== undefined && root.text !== data.text;
  root.text = data.text;
  const drawAll = (moving) => keepPlace(root, () => {
    const beside = root.clientWidth >= WIDE;
    const map = el("div", beside ? "map beside" : "map");
    const [flow, drawing] = drawFlow(root, component, choose, beside);
    map.append(flow);
    if (beside) map.append(drawDetail(root, component, choose));
    root.replaceChildren(map);
    roam(flow, ".box", flow.querySelector(".box.open"), (item, key, items) => {
      const to = { ArrowDown: 1, ArrowUp: -1 }[key];
      return to && (items[items.indexOf(item) + to] ?? null);
    });
    drawWires(flow, drawing, moving);
    root.sizes?.disconnect();
    let first = true; // it is told the present size at once
    root.sizes = new ResizeObserver(() => (first ? (first = false) : drawWires(flow, drawing, false)));
    root.sizes.observe(flow);
  });
  const choose = (change) => {
    root.shown = { ...root.shown, ...change };
    drawAll(false);
    ask(component, root, "show", root.shown);
  };
  onResize(root, () => drawAll(false));
  drawAll(isNew);
}
