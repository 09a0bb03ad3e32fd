// All attention heads as small maps. All text is set through textContent. `data` is described in head_overview.py.

function prepare(root) {
  const pane = makePane();
  const told = el("div", "told");
  told.setAttribute("aria-live", "polite");
  root.replaceChildren(el("h3", "title"), told, el("div", "axes"), pane, el("p", "legend"), el("div", "table"));
  return pane;
}

export default function (component) {
  const { data } = component;
  const root = rootOf(component);
  const pane = root.querySelector(".pane") ?? prepare(root);
  const canvas = pane.querySelector("canvas");
  for (const name of ["title", "axes", "legend"]) root.querySelector(`.${name}`).textContent = data.labels[name];
  const told = root.querySelector(".told");
  let opened = heard(data, root, data.opened);
  let grid = drawGrid(root, pane, data);
  const tell = (at) => {
    told.replaceChildren();
    if (at?.head === null) told.append(el("b", "", fill(data.labels.layer, { layer: at.layer + 1 })));
    else if (at) {
      const name = fill(data.labels.name, { layer: at.layer + 1, head: at.head + 1 });
      told.append(el("b", "", name), ` ${data.told[at.layer][at.head]}`);
    }
    canvas.setAttribute("aria-label", `${data.labels.title}. ${told.textContent}`);
  };
  const show = (at) => {
    grid.paint(at);
    tell(at);
    const place = [data.text, at?.layer, at?.head].join();
    if (at && root.place !== place) grid.reveal(at);
    root.place = place;
  };
  onResize(root, () => {
    grid = drawGrid(root, pane, data);
    grid.paint(opened);
  });
  show(opened);
  if (root.revealed !== undefined && root.revealed !== data.revealed) root.scrollIntoView({ block: "center", behavior: "smooth" });
  root.revealed = data.revealed;
  canvas.onpointermove = (event) => tell(grid.find(event) ?? opened);
  canvas.onpointerleave = () => tell(opened);
  const open = (at) => {
    if (!at) return;
    opened = opened?.head === null ? { layer: at.layer, head: null } : at;
    show(opened);
    ask(component, root, "open", opened);
  };
  canvas.onclick = (event) => open(grid.find(event));
  const names = data.told.flatMap((heads, layer) => heads.map((what, head) => ({ layer, head, what, scores: data.scores[layer][head] })));
  const rows = () => names.map(({ layer, head, what, scores }) => {
    const name = fill(data.labels.name, { layer: layer + 1, head: head + 1 }).replace(/[:：]$/, "");
    const shares = scores.slice(0, -1).map((share) => (share === null ? "–" : percent(data, share)));
    return [[name, () => open({ layer, head })], ...shares, scores.at(-1).toFixed(1), what];
  });
  keepPlace(root, () => root.querySelector(".table").replaceChildren(asTable(root, "heads", data.labels.table, data.labels.columns, rows)));
  canvas.onkeydown = (event) => {
    const move = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    const { layer, head } = { layer: 0, ...opened, head: opened?.head ?? 0 };
    open({
      layer: Math.max(0, Math.min(data.layers - 1, layer + move[0])),
      head: Math.max(0, Math.min(data.heads - 1, head + move[1])),
    });
  };
}
