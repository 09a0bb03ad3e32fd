// Bars of the likeliest tokens on a fixed axis from 0 to 100%, a row each; a click on a row chooses its token. A row of
// the same token is kept from one distribution to the next, so that it can move to its new place. Text is set through
// textContent only. `rows` and `cut` are described in stage.py.

const AXIS = [0, 25, 50, 75, 100];
const PRESENTED = 6; // rows in presentation mode, the chosen one among them

function makeRow(row) {
  const node = el(row.id === null ? "div" : "button", "row");
  if (row.id !== null) node.type = "button";
  const word = el("span", "word");
  word.dir = "auto";
  node.append(word, el("span", "track"), el("span", "value"));
  node.children[1].append(el("span", "bar"), el("span", "belief"));
  return node;
}

function drawBars(root, box, data) {
  const old = new Map([...box.querySelectorAll(".row")].map((node) => [node.dataset.token, node]));
  box.style.setProperty("--rows", data.rows.length);
  const chosen = data.rows.findIndex(({ state }) => state === "pick");
  const last = Math.max(PRESENTED - 1, chosen); // the last row that is presented
  data.rows.forEach((row, i) => {
    const token = String(row.id);
    const node = old.get(token) ?? makeRow(row);
    old.delete(token);
    node.dataset.token = token;
    node.dataset.keep = `row ${i}`;
    const spare = i >= PRESENTED - 1 && i !== last ? " spare" : "";
    node.className = `row ${row.state}${row.branch ? " branched" : ""}${spare}`;
    node.style.setProperty("--at", i);
    node.style.setProperty("--p", row.state === "cut" ? row.raw : row.shown);
    node.style.setProperty("--raw", row.raw);
    node.querySelector(".belief").hidden = !row.differs;
    node.querySelector(".word").textContent = row.word;
    node.querySelector(".value").textContent = row.value;
    node.onclick = row.id === null ? null : () => root.move("pick", { turn: data.turn, token: row.id });
    node.details = row.details;
    if (box.children[i] !== node) box.insertBefore(node, box.children[i] ?? null);
  });
  for (const node of old.values()) node.remove();
  roam(box, "button.row", null, inColumn);
  drawCut(box, data);
}

// `next` of `roam` for rows: Up, Down, Home and End.
function inColumn(row, key, rows) {
  const to = { ArrowDown: rows.indexOf(row) + 1, ArrowUp: rows.indexOf(row) - 1, Home: 0, End: rows.length - 1 }[key];
  return to === undefined ? undefined : (rows[to] ?? null);
}

// The axis's marks, and the line between the last token that passes the filters and the first that does not.
function drawCut(box, data) {
  box.querySelectorAll(".grid, .cutline").forEach((node) => node.remove());
  const grid = el("div", "grid");
  for (const mark of AXIS) {
    const tick = el("span", "tick", `${mark}${mark === 100 ? "%" : ""}`);
    tick.style.left = `${mark}%`;
    grid.append(tick);
  }
  box.append(grid);
  if (!data.cut) return;
  const line = el("div", "cutline");
  line.style.setProperty("--at", data.cut.row);
  line.append(el("span", "", data.cut.told));
  box.append(line);
}

// Exact numbers of a row while the pointer rests on it.
function listenForDetails(root, box) {
  let timer;
  root.hideDetails = () => {
    clearTimeout(timer);
    root.querySelector(".details")?.remove();
  };
  const show = (row) => {
    const list = el("dl", "details");
    for (const [name, value] of row.details) list.append(el("dt", "", name), el("dd", "", value));
    list.style.top = `${row.offsetTop + row.offsetHeight}px`;
    box.append(list);
  };
  box.onpointermove = (event) => {
    if (!pointerMoved(root, event)) return;
    root.hideDetails();
    const row = event.target.closest(".row");
    if (row && event.pointerType !== "touch") timer = setTimeout(show, 400, row);
  };
  box.onpointerleave = root.hideDetails;
}
