// Predictions for one prompt and the loss, by checkpoint of the training: bars and line charts. All text is set through
// textContent. `data` is described in training_history.py.

const ROW = 30;

// One bar per token, reused while the token is among the most probable ones, so that its moves are animated.
function barsOf(data) {
  const box = el("div", "bars");
  const most = data.moments[0][2].length + 1;
  box.style.height = `${most * ROW}px`;
  const rows = new Map();
  const winner = data.lines[0][0];
  const row = (key, word) => {
    if (!rows.has(key)) {
      const made = el("div", `bar ${key === "others" ? "others" : key === winner ? "winner" : ""}`);
      const room = el("span");
      room.append(el("span", "fill"));
      made.append(el("bdi", "word", word), room, el("span", "value"));
      rows.set(key, made);
      box.append(made);
    }
    return rows.get(key);
  };
  const put = (key, word, p, place, full) => {
    const made = row(key, word);
    made.hidden = false;
    made.style.transform = `translateY(${place * ROW}px)`;
    made.children[1].firstChild.style.width = `${((100 * p) / full).toFixed(2)}%`;
    made.children[2].textContent = `${percent(data, p)}${key === winner ? "  ▶" : ""}`;
    return made;
  };
  return [box, (at) => {
    const [, , likeliest, others] = data.moments[at];
    const full = Math.max(others, ...likeliest.map(([, p]) => p));
    const shown = new Set(likeliest.map(([id, p], place) => put(id, data.words[id], p, place, full)));
    shown.add(put("others", data.others, others, most - 1, full));
    for (const made of rows.values()) made.hidden = !shown.has(made);
  }];
}

const NAME = 18; // between two names at the end of their lines
const L = 46, R = 88, T = 12, B = 24;
const along = (data) => {
  const last = Math.log(data.moments.at(-1)[0] + 1);
  return (step) => L + (Math.log(step + 1) / last) * (data.width - L - R);
};

// Axes of a chart: the logarithm of the step on x, `ticks` [value, label] on y. Returns the chart and a function that
// moves its mark to a checkpoint.
function frame(data, height, ticks, y, label) {
  const x = along(data);
  const picture = svg("svg", { viewBox: `0 0 ${data.width} ${height}`, role: "img", "aria-label": label });
  for (const [value, read] of ticks) {
    picture.append(svg("line", { x1: L, x2: data.width - R, y1: y(value), y2: y(value), class: "grid" }));
    picture.append(svg("text", { x: L - 7, y: y(value) + 4, "text-anchor": "end" }, read));
  }
  const last = data.moments.at(-1)[0];
  for (const step of [0, 1, 10, 100, 1000, last].filter((step) => step === last || x(last) - x(step) > 40)) {
    picture.append(svg("text", { x: x(step), y: height - 6, "text-anchor": "middle" }, step.toLocaleString("en")));
  }
  const mark = svg("line", { y1: T - 6, y2: height - B, class: "mark" });
  picture.append(mark);
  return [picture, (at) => {
    mark.setAttribute("x1", x(data.moments[at][0]));
    mark.setAttribute("x2", x(data.moments[at][0]));
  }];
}

// Line through the values; a gap where one is null.
function line(data, y, values, kind) {
  const x = along(data);
  let path = "", before = null;
  values.forEach((value, i) => {
    if (value !== null) path += `${before === null ? "M" : "L"}${x(data.moments[i][0]).toFixed(1)} ${y(value).toFixed(1)}`;
    before = value;
  });
  return svg("path", { d: path, class: `line ${kind}` });
}

function linesOf(data) {
  const height = 210;
  const top = Math.max(...data.lines.flatMap(([, values]) => values.filter((value) => value !== null)));
  const scale = [0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1].find((value) => value >= top) ?? 1;
  const y = (p) => height - B - (p / scale) * (height - B - T);
  const ticks = [0, scale / 2, scale].map((p) => [p, `${Number((p * 100).toPrecision(2))}%`]);
  const [picture, mark] = frame(data, height, ticks, y, data.labels.lines);
  const taken = [];
  // From the lowest up: labels that would overlap are moved upwards, with a line to where they belong.
  [...data.lines.entries()].reverse().forEach(([i, [id, values]]) => {
    picture.append(line(data, y, values, i ? `other o${i}` : "winner"));
    const read = data.words[id];
    const end = y(values.at(-1)), right = data.width - R;
    const at = Math.min(end + 4, ...taken.map((other) => other - NAME));
    taken.push(at);
    picture.append(svg("line", { x1: right + 2, y1: end, x2: right + 13, y2: at - 4, class: "lead" }));
    picture.append(svg("text", { x: right + 16, y: at, class: i ? "name" : "name winner" }, `${i ? "" : "▶ "}${read.length > 8 ? `${read.slice(0, 7)}…` : read}`));
  });
  return [picture, mark];
}

function lossOf(data) {
  const height = 150;
  const losses = data.moments.map(([, loss]) => loss);
  const top = Math.max(data.chance, ...losses.filter((loss) => loss !== null)) * 1.04;
  const y = (loss) => height - B - (loss / top) * (height - B - T);
  const [picture, mark] = frame(data, height, [0, 3, 6, 9].filter((v) => v < top).map((v) => [v, v]), y, data.labels.loss);
  picture.append(svg("line", { x1: L, x2: data.width - R, y1: y(data.chance), y2: y(data.chance), class: "chance" }));
  picture.append(line(data, y, losses, "loss"));
  const x = along(data);
  losses.forEach((loss, i) => loss !== null && picture.append(svg("circle", { cx: x(data.moments[i][0]), cy: y(loss), r: 2.5, class: "dot" })));
  picture.append(svg("text", { x: data.width - R + 6, y: y(losses.at(-1)) + 4, class: "name" }, losses.at(-1).toFixed(2)));
  return [picture, mark];
}

function tableOf(root, data) {
  const { step, loss, likeliest, missing } = data.labels;
  const rows = () => data.moments.map(([at, nats, first], i) => [
    at.toLocaleString("en"),
    nats === null ? "–" : nats.toFixed(2),
    ...data.lines.map(([, values]) => (values[i] === null ? missing : percent(data, values[i]))),
    `${data.words[first[0][0]]} ${percent(data, first[0][1])}`,
  ]);
  return asTable(root, "moments", data.labels.table, [step, loss, ...data.lines.map(([id]) => data.words[id]), likeliest], rows);
}

export default function (component) {
  const { data, setTriggerValue } = component;
  const root = rootOf(component);
  const same = JSON.stringify([data.prompt, data.labels]);
  if (root.same === same) return; // only the reported position changed: already drawn
  root.same = same;
  data.width = root.clientWidth < 640 ? 350 : 520; // of a chart, in SVG units: the font size stays readable on a phone
  const drawn = [barsOf(data), linesOf(data), lossOf(data)];
  const [bars, lines, loss] = drawn.map(([node]) => node);
  const move = (at) => drawn.forEach(([, draw]) => draw(at));
  const name = (at) => data.moments[at][0].toLocaleString("en");
  const bar = stepper(data.labels, data.moments.length - 1, data.at, move, (moment) => setTriggerValue("at", { moment }), name);
  const left = el("div", "half"), right = el("div", "half");
  left.append(el("h3", "", data.labels.bars), bars);
  right.append(el("h3", "", data.labels.lines), lines, el("h3", "", data.labels.loss), loss, el("p", "soft", fill(data.labels.chance, { chance: data.chance.toFixed(2) })));
  // A click in a chart selects the nearest checkpoint.
  for (const picture of [lines, loss]) {
    picture.onclick = (event) => {
      const box = picture.getBoundingClientRect();
      const x = along(data);
      const at = ((event.clientX - box.left) / box.width) * data.width;
      const far = data.moments.map(([step]) => Math.abs(x(step) - at));
      bar.go(far.indexOf(Math.min(...far)));
    };
  }
  const halves = el("div", "halves");
  halves.append(left, right);
  root.replaceChildren(bar, halves, tableOf(root, data));
}
