// Attention of two models over the same text, side by side; a slider chooses the layer. `data`: see two_maps.py.

function mapOf(map, layer, data) {
  const { tokens, labels } = data;
  const box = el("figure");
  box.append(el("figcaption", "", map.title));
  const size = tokens.length;
  const cell = Math.max(8, Math.min(30, Math.floor(400 / size)));
  const canvas = el("canvas");
  canvas.width = canvas.height = size * cell;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${map.title}. ${fill(labels.later, { p: map.later })}`);
  const paint = canvas.getContext("2d");
  const color = getComputedStyle(data.root).getPropertyValue("--attention") || "#7A3E8F";
  const rows = map.layers[Math.min(layer, map.layers.length - 1)];
  rows.forEach((row, y) => row.forEach((value, x) => {
    paint.globalAlpha = Math.min(1, value / 1000);
    paint.fillStyle = color;
    paint.fillRect(x * cell, y * cell, cell - 1, cell - 1);
  }));
  paint.globalAlpha = 1;
  const told = el("p", "told", fill(labels.later, { p: map.later }));
  const pointed = el("p", "pointed", " ");
  canvas.onpointermove = ({ offsetX, offsetY }) => {
    const scale = canvas.offsetWidth / size;
    const [x, y] = [Math.floor(offsetX / scale), Math.floor(offsetY / scale)];
    if (!rows[y] || rows[y][x] === undefined) return;
    const p = percent(data, rows[y][x] / 1000);
    pointed.textContent = fill(labels.cell, { row: tokens[y], column: tokens[x], p });
  };
  const frame = el("div", "frame");
  const names = (name) => {
    const list = el("div", name);
    list.setAttribute("aria-hidden", "true");
    for (const token of tokens) {
      const label = el("span", "", cell < 12 ? "" : token);
      label.style[name === "rows" ? "height" : "width"] = `${cell}px`;
      list.append(label);
    }
    return list;
  };
  frame.append(el("span"), names("columns"), names("rows"), canvas);
  box.append(frame, el("p", "axes", `${labels.row} ↓　${labels.column} →`), told, pointed);
  return box;
}

export default function (component) {
  const root = rootOf(component);
  const { data } = component;
  const most = Math.max(...data.maps.map((map) => map.layers.length));
  root.layer = Math.min(root.layer ?? most - 1, most - 1);
  const maps = el("div", "maps");
  const draw = () => maps.replaceChildren(...data.maps.map((map) => mapOf(map, root.layer, { ...data, root })));
  const label = el("label", "layer");
  const name = el("span", "", fill(data.labels.layer, { n: root.layer + 1, of: most }));
  const slider = el("input");
  Object.assign(slider, { type: "range", min: 1, max: most, value: root.layer + 1 });
  slider.dataset.keep = "layer";
  slider.oninput = () => {
    root.layer = Number(slider.value) - 1;
    name.textContent = fill(data.labels.layer, { n: root.layer + 1, of: most });
    draw();
  };
  label.append(name, slider);
  keepPlace(root, () => root.replaceChildren(label, maps));
  draw();
}
