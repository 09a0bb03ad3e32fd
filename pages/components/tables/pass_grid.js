// Grid of passes. All text is set through textContent. `data` is described in pass_grid.py.

export default function (component) {
  const { data } = component;
  const root = rootOf(component);
  const legend = el("p", "legend");
  for (const [kind, name] of data.legend) legend.append(el("span", `mark ${kind}`), el("span", "", name));
  const pane = el("div", "pane");
  pane.tabIndex = 0; // the arrow keys scroll it
  pane.setAttribute("role", "region");
  pane.setAttribute("aria-label", data.name);
  const table = el("table");
  const head = el("tr");
  head.append(el("td"));
  data.rows[0].texts.forEach((_, at) => head.append(Object.assign(el("th", "", String(at + 1)), { scope: "col" })));
  table.append(Object.assign(el("caption", "", data.place)), head);
  for (const { name, texts, kinds } of data.rows) {
    const line = el("tr");
    line.append(Object.assign(el("th", "name", name), { scope: "row" }));
    texts.forEach((text, at) => line.append(Object.assign(el("td", kinds[at], text), { dir: "auto" })));
    table.append(line);
  }
  pane.append(table);
  const [old, left, top] = [root.querySelector(".pane"), root.querySelector(".pane")?.scrollLeft, root.querySelector(".pane")?.scrollTop];
  const atEnd = !old || old.scrollTop + old.clientHeight > old.scrollHeight - 4;
  root.replaceChildren(legend, pane);
  if (old) [pane.scrollLeft, pane.scrollTop] = [left, atEnd ? pane.scrollHeight : top];
}
