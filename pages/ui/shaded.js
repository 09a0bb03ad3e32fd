// Sentences shaded by what mattered. All text goes in through textContent. `data` is described in shaded.py.

export default function (component) {
  const { data } = component;
  const root = rootOf(component);
  root.replaceChildren(...data.told.map((line) => el("p", "told", line)));
  for (const { name, note, parts } of data.rows) {
    const row = el("div", "row");
    row.append(el("span", "name", name), el("span", "note", note));
    const line = el("div", "parts");
    for (const [label, value, told] of parts) {
      const part = el("span", value < -0.05 ? "against" : "", label);
      part.dir = "auto";
      part.title = told;
      if (value > 0) part.style.background = `color-mix(in srgb, var(--${data.tone}) calc(${Math.sqrt(value).toFixed(2)} * var(--deepest)), transparent)`;
      line.append(part);
    }
    row.append(line);
    root.append(row);
  }
  if (!data.rows.length) return;
  const rows = () => data.rows[0].parts.map(([label], i) => [label, ...data.rows.map(({ parts }) => parts[i][2])]);
  root.append(asTable(root, "rows", data.labels.table, [data.labels.token, ...data.rows.map(({ name }) => name)], rows));
}
