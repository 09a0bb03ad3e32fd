// Rows of shaded tokens. Text is set through textContent only. `data` is described in shaded_tokens.py.

// A sentence, in which \x02 and \x03 enclose a token: see `token` in shaded_tokens.py.
function sentence(text) {
  const line = el("p", "told");
  text.split(/\x02([^\x03]*)\x03/).forEach((piece, i) => line.append(i % 2 ? Object.assign(el("b", "token", piece), { dir: "auto" }) : piece));
  return line;
}

export default function (component) {
  const { data } = component;
  const deep = data.tone === "surprise" ? (value) => value : Math.sqrt; // makes small attention weights visible
  const root = rootOf(component);
  root.replaceChildren(...data.told.map(sentence));
  for (const { name, note, parts } of data.rows) {
    const row = el("div", "row");
    row.append(el("span", "name", name), el("span", "note", note));
    const line = el("div", "parts");
    for (const [label, value, told] of parts) {
      const part = el("span", value < -0.05 ? "against" : "", label);
      part.dir = "auto";
      part.title = told;
      if (value > 0) part.style.background = `color-mix(in srgb, var(--${data.tone}) calc(${deep(value).toFixed(2)} * var(--deepest)), transparent)`;
      line.append(part);
    }
    row.append(line);
    root.append(row);
    line.scrollTop = line.scrollHeight; // the last token is the query; tokens near it often have the largest values
  }
  if (!data.rows.length) return;
  const rows = () => data.rows[0].parts.map(([label], i) => [label, ...data.rows.map(({ parts }) => parts[i][2])]);
  root.append(asTable(root, "rows", data.labels.table, [data.labels.token, ...data.rows.map(({ name }) => name)], rows));
}
