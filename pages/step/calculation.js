// Table of logit → ÷ T → filter → probability, and cumulative curve with the random number of the draw. Text is only
// ever set through textContent. `data` is described in calculation.py.

function drawTable(root, data) {
  const box = el("div", "sums");
  const table = el("table");
  const head = el("tr");
  data.columns.forEach((name) => head.append(el("th", "", name)));
  table.append(head);
  for (const [state, ...cells] of data.rows) {
    const row = el("tr", state);
    cells.forEach((cell, i) => {
      const td = el("td");
      td.append(el(i === 0 && state === "cut" ? "s" : "span", "", cell));
      row.append(td);
    });
    table.append(row);
  }
  box.append(table);
  root.append(box);
}

// Step function: x is the logarithmic rank, y the cumulative probability.
function drawCurve(root, data) {
  const W = 420, H = 170, L = 34, R = 10, T = 10, B = 24;
  const most = Math.log(data.size + 1);
  const x = (rank) => L + (Math.log(rank + 1) / most) * (W - L - R);
  const y = (p) => H - B - p * (H - B - T);
  const picture = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": data.labels.curve });
  const stairs = (points) => {
    let path = `M${x(0)} ${y(0)}`;
    let before = 0;
    for (const [rank, p] of points) {
      path += `L${x(rank - 1).toFixed(1)} ${y(before).toFixed(1)}L${x(rank - 1).toFixed(1)} ${y(p).toFixed(1)}`;
      before = p;
    }
    return `${path}L${x(data.size).toFixed(1)} ${y(before).toFixed(1)}`;
  };
  for (const p of [0, 0.5, 1]) {
    picture.append(svg("line", { x1: L, x2: W - R, y1: y(p), y2: y(p), class: "grid" }));
    const tick = svg("text", { x: L - 6, y: y(p) + 4, "text-anchor": "end" });
    tick.textContent = p;
    picture.append(tick);
  }
  for (const rank of [1, 10, 100, 1000, 10000, 100000].filter((r) => r <= data.size)) {
    const tick = svg("text", { x: x(rank - 1), y: H - 7, "text-anchor": "middle" });
    tick.textContent = rank.toLocaleString("en");
    picture.append(tick);
  }
  picture.append(svg("path", { d: stairs(data.believed), class: "believed" }));
  picture.append(svg("path", { d: stairs(data.drawn), class: "drawn" }));
  if (data.cut < data.size) {
    picture.append(svg("line", { x1: x(data.cut), x2: x(data.cut), y1: y(0), y2: y(1), class: "cutline" }));
  }
  if (data.u !== null) {
    const at = x(data.rank - 1);
    picture.append(svg("path", { d: `M${L} ${y(data.u)}H${at}V${y(0)}`, class: "u" }));
    picture.append(svg("circle", { cx: at, cy: y(data.u), r: 4, class: "dot" }));
    const word = svg("text", { x: Math.min(at + 8, W - 60), y: Math.min(y(data.u) + 16, y(0) - 5), class: "mark" });
    word.textContent = `▶ ${data.word}`;
    picture.append(word);
  }
  root.append(picture);
  const tableRows = data.believed.map(([rank, p], i) => [rank, p, data.drawn[i][1]]).filter(([rank], i) => rank <= 10 || i % 12 === 0 || rank === data.size);
  const rows = () => tableRows.map(([rank, ...shares]) => [rank.toLocaleString("en"), ...shares.map((p) => percent(data, p))]);
  root.append(asTable(root, "curve", data.labels.table, data.labels.along, rows));
}

export default function (component) {
  const { data } = component;
  const root = rootOf(component);
  keepPlace(root, () => drawAll(root, data));
}

function drawAll(root, data) {
  root.replaceChildren(el("h2", "", data.labels.title));
  drawTable(root, data);
  root.append(el("p", "note", data.labels.formula));
  root.append(el("h2", "", data.labels.curve));
  drawCurve(root, data);
  root.append(el("p", "note", data.labels.draw));
}
