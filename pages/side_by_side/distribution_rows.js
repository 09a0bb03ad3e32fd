// Two distributions over the same rows. All text is set through textContent. `data` is described in
// distribution_rows.py.

function side(share, text) {
  const cell = el("td");
  const line = el("div", share === null ? "side missing" : "side");
  line.append(el("span", "number", share === null ? `– ${text}` : text));
  if (share !== null) {
    const track = el("span", "track");
    const bar = el("span", "bar");
    bar.style.width = `${share * 100}%`;
    track.append(bar);
    line.append(track);
  }
  cell.append(line);
  return cell;
}

export default function (component) {
  const { data } = component;
  const root = rootOf(component);
  const two = data.names.length === 2;
  keepPlace(root, () => {
    const table = el("table", two ? "two" : "one");
    table.setAttribute("aria-label", data.labels.name);
    const head = el("tr");
    const titles = two ? [data.names[0], data.labels.token, data.names[1]] : [data.labels.token, data.names[0]];
    for (const title of titles) head.append(Object.assign(el("th", "", title), { scope: "col", dir: "auto" }));
    const thead = el("thead");
    thead.append(head);
    const body = el("tbody");
    data.rows.forEach(({ label, sides, pick }, row) => {
      const line = el("tr");
      const name = Object.assign(el("th", "token"), { scope: "row" });
      const word = pick ? makeButton("", label, () => component.setTriggerValue("pick", { turn: data.turn, row })) : el("span", "", label);
      word.dir = "auto";
      if (pick) {
        word.title = fill(data.labels.append, { token: label });
        word.dataset.keep = row;
      }
      name.append(word);
      const cells = sides.map(([share, text]) => side(share, text));
      line.append(...(two ? [cells[0], name, cells[1]] : [name, cells[0]]));
      body.append(line);
    });
    table.append(thead, body);
    root.replaceChildren(table);
  });
}
