// A text with gaps, and what fills the one that is shown. All text through textContent. `data`: see gap_view.py.

function passageOf(data, report) {
  const { labels } = data;
  const line = el("p", "passage");
  line.setAttribute("aria-label", labels.text);
  let number = 0;
  for (const { text, gap, place } of data.parts) {
    if (!gap) {
      line.append(Object.assign(el("span", "token", text), { dir: "auto" }));
      continue;
    }
    number += 1;
    const button = makeButton("gap", text || "？", () => report("show", { place }));
    button.setAttribute("aria-label", fill(text ? labels.filled : labels.gap, { n: number, token: text }));
    button.setAttribute("aria-pressed", String(place === data.place));
    button.dataset.keep = `gap ${place}`;
    button.dir = "auto";
    line.append(button);
  }
  return line;
}

function barCell(name, value) {
  const cell = el("td", name);
  if (!value) return Object.assign(cell, { textContent: "–" });
  const [share, number] = value;
  const track = el("div", "track");
  track.setAttribute("aria-hidden", "true");
  const bar = el("div", "bar");
  bar.style.width = `${100 * share}%`;
  track.append(bar);
  cell.append(track, el("span", "number", number));
  return cell;
}

function tableOf(data, report) {
  const { labels } = data;
  const columns = ["both", "left", ...(data.scored ? ["whole"] : [])];
  const table = el("table");
  const top = el("tr");
  for (const name of ["token", ...columns]) top.append(Object.assign(el("th", name, labels[name]), { scope: "col" }));
  const head = el("thead");
  head.append(top);
  const body = el("tbody");
  for (const row of data.rows) {
    const line = el("tr", row.filled ? "filled" : "");
    const word = el("th", "word");
    word.scope = "row";
    const button = makeButton("pick", row.text, () => report("fill", { token: row.token }));
    button.dir = "auto";
    button.setAttribute("aria-label", fill(labels.pick, { token: row.text }));
    button.dataset.keep = `pick ${row.token}`;
    word.append(button);
    line.append(word, ...columns.map((name) => barCell(name, row[name])));
    line.onclick = (event) => event.target === button || report("fill", { token: row.token });
    body.append(line);
  }
  table.append(head, body);
  return table;
}

export default function (component) {
  const root = rootOf(component);
  const { data, setTriggerValue } = component;
  const shown = JSON.stringify(data);
  if (root.shown === shown) return;
  root.shown = shown;
  const report = (name, value) => setTriggerValue(name, { turn: data.turn, ...value });
  keepPlace(root, () => {
    const parts = [passageOf(data, report), tableOf(data, report)];
    if (data.rows.every((row) => !row.left)) parts.push(el("p", "note", data.labels.no_left));
    if (data.can_hide) {
      const hide = makeButton("hide", data.labels.hide, () => report("open", {}));
      hide.dataset.keep = "hide";
      parts.push(hide);
    }
    root.replaceChildren(...parts);
  });
}
