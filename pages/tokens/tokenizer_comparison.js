// The same text in several tokenizers, a row with token counts for each. All text is set through textContent.
// `data` is described in tokenizer_comparison.py.

export default function (component) {
  const { data } = component;
  const root = rootOf(component);
  const table = el("div", "rows");
  table.style.setProperty("--columns", data.columns.length);
  const head = el("div", "row head");
  head.append(el("span"), ...data.columns.map((name) => el("span", "n", name)));
  table.append(head);
  for (const { name, note, groups, more, numbers } of data.rows) {
    const row = el("div", "row");
    const who = el("div", "who");
    who.append(el("b", "", name), el("span", "soft", note));
    row.append(who);
    numbers.forEach((value, i) => {
      const cell = el("span", "n", value);
      cell.dataset.name = data.columns[i];
      row.append(cell);
    });
    const chips = drawGroups(groups, (index, label, shade) => {
      const chip = el("span", `t ${shade}`, label);
      chip.dir = "auto";
      return chip;
    });
    if (more) chips.append(el("span", "soft", more));
    row.append(chips);
    table.append(row);
  }
  root.replaceChildren(table);
}
