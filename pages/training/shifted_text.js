// Input tokens and the targets to be predicted, which are the same text shifted by one. All text is set through
// textContent. `data` is described in shifted_text.py.

export default function (component) {
  const { data } = component;
  const root = rootOf(component);
  const table = el("table");
  const row = (name, kind, values) => {
    const line = el("tr", kind);
    line.append(el("th", "", name));
    for (const value of values) {
      const cell = el("td");
      const sign = el("bdi", "", value);
      cell.append(sign);
      line.append(cell);
    }
    table.append(line);
    return line;
  };
  row(data.labels.reads, "reads", data.places.map(([reads]) => reads));
  row("", "arrows", data.places.map(() => "↓"));
  row(data.labels.predicts, "predicts", data.places.map(([, predicts]) => predicts));
  row(data.labels.loss, "loss", data.places.map(([, , loss]) => loss));
  const pane = el("div", "pane");
  pane.tabIndex = 0; // to scroll it with the arrow keys
  pane.setAttribute("role", "region");
  pane.setAttribute("aria-label", data.labels.predicts);
  pane.append(table);
  root.replaceChildren(pane);
}
