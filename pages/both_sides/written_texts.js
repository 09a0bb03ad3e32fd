// Texts of the same prompt in different numbers of passes. All text through textContent. `data`: see written_texts.py.

export default function (component) {
  const root = rootOf(component);
  const { data } = component;
  const table = el("table");
  const top = el("tr");
  for (const name of ["how", "text", "bits"]) top.append(Object.assign(el("th", name, data.labels[name]), { scope: "col" }));
  const head = el("thead");
  head.append(top);
  const body = el("tbody");
  for (const { kind, how, text, share, bits } of data.rows) {
    const line = el("tr", kind);
    const name = Object.assign(el("th", "how", how), { scope: "row" });
    const written = el("td", "text");
    written.dir = "auto";
    written.append(el("span", "prompt", data.prompt), el("span", "", text));
    const number = el("td", "bits");
    const bar = el("div", "bar");
    bar.setAttribute("aria-hidden", "true");
    bar.style.width = `${100 * share}%`;
    number.append(el("span", "number", bits), bar);
    line.append(name, written, number);
    body.append(line);
  }
  table.append(head, body);
  root.replaceChildren(table);
}
