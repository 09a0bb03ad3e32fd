// List of probabilities with bars. All text is set through textContent. `data` is described in token_ranks.py.

export default function (component) {
  const { data } = component;
  const root = rootOf(component);
  const table = el("table");
  table.append(el("caption", "", data.name));
  const titles = el("tr");
  for (const column of data.columns) titles.append(Object.assign(el("th", "", column), { scope: "col" }));
  const head = el("thead");
  head.append(titles);
  const body = el("tbody");
  const noted = data.rows.some(([, , , note]) => note);
  if (noted) table.className = "words"; // names of layers, not tokens
  for (const [name, p, told, note, marked] of data.rows) {
    const row = el("tr", marked ? "marked" : "");
    const first = Object.assign(el("th", "", name), { scope: "row", dir: "auto" });
    const bar = el("td", "bar");
    const track = el("span", "track");
    const filled = el("i");
    filled.style.width = `${100 * p}%`;
    track.append(filled);
    bar.append(track, el("span", "p", told));
    row.append(first, bar);
    if (noted) row.append(el("td", "note", note));
    body.append(row);
  }
  if (!noted) titles.lastChild.remove();
  table.append(head, body);
  root.replaceChildren(table);
}
