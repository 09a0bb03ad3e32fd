// Data of a picture as a table behind a disclosure, closed at first; its rows are built when it is opened.
// `rows()` returns lists of cells, the first cell being the row header. A cell is a text, or [text, click handler].
// `root` stores under `key` whether the table is open, so that it stays open when the component is redrawn.
function asTable(root, key, name, columns, rows) {
  const box = el("details", "astable");
  const build = () => {
    const table = el("table");
    const head = el("thead");
    const titles = el("tr");
    for (const column of columns) titles.append(Object.assign(el("th", "", column), { scope: "col" }));
    head.append(titles);
    const body = el("tbody");
    rows().forEach((cells, at) => {
      const row = el("tr");
      cells.forEach((cell, i) => {
        const [text, press] = Array.isArray(cell) ? cell : [cell];
        const place = el(i ? "td" : "th");
        if (!i) place.scope = "row";
        const word = el(press ? "button" : "span", "", text);
        word.dir = "auto";
        if (press) {
          word.type = "button";
          word.onclick = press;
          word.dataset.keep = `${key} ${at}`;
        }
        place.append(word);
        row.append(place);
      });
      body.append(row);
    });
    table.append(head, body);
    const scroll = el("div", "scroll");
    scroll.tabIndex = 0; // the arrow keys scroll it
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", name);
    scroll.append(table);
    box.append(scroll);
  };
  root.tables ??= {};
  const title = el("summary", "", name);
  title.dataset.keep = key;
  box.append(title);
  if (root.tables[key]) {
    box.open = true;
    build();
  }
  box.ontoggle = () => {
    root.tables[key] = box.open;
    if (box.open && !box.querySelector("table")) build();
  };
  return box;
}
