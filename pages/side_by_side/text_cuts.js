// One text in the tokens of each model. All text is set through textContent. `data` is described in text_cuts.py.

export default function (component) {
  const root = rootOf(component);
  const rows = component.data.rows.map(({ name, notes, groups }) => {
    const row = el("div", "row");
    const head = el("div", "head");
    head.append(Object.assign(el("b", "", name), { dir: "auto" }), ...notes.map((note) => el("span", "soft", note)));
    const line = drawGroups(groups, (index, label, shade) => Object.assign(el("span", `t ${shade}`, label), { dir: "auto" }));
    row.append(head, line);
    return row;
  });
  root.replaceChildren(...rows);
  for (const line of root.querySelectorAll(".chips")) line.scrollTop = line.scrollHeight;
}
