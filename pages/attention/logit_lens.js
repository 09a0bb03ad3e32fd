// Logit lens table. All text is set through textContent. `data` is described in logit_lens.py.

function drawCell(data, layer, position, [label, p, right]) {
  const cell = el("td");
  const open = data.cell && data.cell[0] === layer && data.cell[1] === position;
  const button = el("button", `${right ? "right" : ""}${open ? " open" : ""}`, label);
  button.type = "button";
  button.style.background = `color-mix(in srgb, var(--belief) ${Math.round(85 * Math.sqrt(p))}%, transparent)`;
  button.append(el("small", "", percent(data, p)));
  button.dataset.cell = button.dataset.keep = `${layer}:${position}`;
  button.setAttribute("aria-pressed", String(Boolean(open)));
  cell.append(button);
  return cell;
}

export default function (component) {
  const { data, setTriggerValue } = component;
  const root = rootOf(component);
  const old = root.querySelector(".pane");
  const [left, top] = [old?.scrollLeft, old?.scrollTop ?? 0];
  const table = el("table", data.rows.length > 16 ? "many" : "");
  const titles = el("tr");
  titles.append(el("th", "name", data.labels.follows));
  for (const [at, , follows] of data.columns) titles.append(el("th", at === data.row ? "row" : "", follows ?? data.labels.unknown));
  const body = el("tbody");
  for (const [layer, cells] of data.rows) {
    const row = el("tr");
    row.append(el("th", "", layer ? data.labels.layer.replace("{n}", layer) : data.labels.embedding));
    cells.forEach((cell, i) => row.append(drawCell(data, layer, data.columns[i][0], cell)));
    body.append(row);
  }
  const foot = el("tr");
  foot.append(el("th", "name", data.labels.after));
  for (const [at, token] of data.columns) foot.append(el("th", at === data.row ? "row" : "", at === data.row ? `▶${token}` : token));
  const [above, below] = [el("thead"), el("tfoot")];
  above.append(titles);
  below.append(foot);
  table.append(above, body, below);
  const pane = el("div", "pane");
  pane.append(table);
  const across = data.columns.length;
  const open = data.cell && table.querySelector(`[data-cell="${data.cell.join(":")}"]`);
  roam(body, "button", open ?? body.querySelector("tr td:last-child button"), (item, key, items) => {
    const at = items.indexOf(item);
    const to = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[key];
    return to && (items[at + to] ?? null);
  });
  keepPlace(root, () => root.replaceChildren(pane, el("p", "legend", data.labels.legend)));
  const place = [data.text, data.row].join();
  const column = foot.querySelector(".row");
  pane.scrollLeft = root.place === place ? left : column.offsetLeft + column.offsetWidth - pane.clientWidth * 0.8;
  pane.scrollTop = top;
  root.place = place;
  pane.onclick = (event) => {
    const button = event.target.closest("[data-cell]");
    if (!button) return;
    const [layer, position] = button.dataset.cell.split(":").map(Number);
    setTriggerValue("cell", { text: data.text, layer, position });
  };
}
