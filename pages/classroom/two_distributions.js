// The class's distribution and the model's, side by side; and the text with its gap. Text through textContent only.

// A bar with its number. `share`: width from 0 to 1; `whose`: class of the bar.
function shareBar(share, number, whose) {
  const cell = el("td", whose);
  const track = el("div", "track");
  track.setAttribute("aria-hidden", "true");
  const bar = el("div", "bar");
  bar.style.width = `${100 * share}%`;
  if (share) track.append(bar);
  cell.append(track, el("span", "number", number));
  return cell;
}

const SIGNS = { own: "▶", truth: "◆" };

// `rows`: [{ text, votes, voted, p, probability, marks }], see wording.py.
function distributions(data) {
  const { labels } = data;
  const table = el("table", "distributions");
  const top = el("tr");
  for (const name of ["token", "class", "model"]) {
    const cell = el("th", name, labels[name]);
    cell.scope = "col";
    top.append(cell);
  }
  const head = el("thead");
  head.append(top);
  const body = el("tbody");
  for (const row of data.rows) {
    const line = el("tr", row.marks.join(" "));
    const word = el("th", row.others ? "others" : "token", row.text);
    word.scope = "row";
    word.dir = "auto";
    for (const mark of row.marks) word.append(el("small", `mark ${mark}`, `${SIGNS[mark]} ${labels[mark]}`));
    line.append(word, shareBar(row.share, row.voted, "class"), shareBar(row.p, row.probability, "model"));
    body.append(line);
  }
  table.append(head, body);
  return table;
}

function passage(data) {
  const box = el("p", "passage");
  box.append(el("span", "before", data.before));
  if (data.stage === "text") return box;
  if (data.continued) {
    box.append(el("b", "continued", data.continued));
    return box;
  }
  if (data.truth) {
    box.append(el("b", "truth", data.truth), el("span", "rest", data.rest));
  } else {
    const gap = el("span", "gap", "？");
    gap.setAttribute("role", "img");
    gap.setAttribute("aria-label", data.labels.gap);
    box.append(gap);
  }
  return box;
}

function sentences(lines) {
  const told = el("div", "told");
  lines.forEach((line, at) => told.append(el("p", at ? "" : "verdict", line)));
  return told;
}

// Scoreboard: `board` = { columns, rows, note, so_far }, of each row the cells and whether it is marked. Before the last
// round it is folded under the title `so_far`.
function scoreboard({ board }, root) {
  const table = el("table", "board");
  const top = el("tr");
  for (const column of board.columns) top.append(Object.assign(el("th", "", column), { scope: "col" }));
  const head = el("thead");
  head.append(top);
  const body = el("tbody");
  for (const { cells, marked } of board.rows) {
    const line = el("tr", marked ? "marked" : "");
    cells.forEach((text, at) => {
      const cell = el(at === 1 ? "th" : "td", at === 1 ? "name" : "", text);
      if (at === 1) Object.assign(cell, { scope: "row", dir: "auto" });
      line.append(cell);
    });
    body.append(line);
  }
  table.append(head, body);
  const parts = [table, el("p", "note", board.note)];
  if (!board.so_far) return parts;
  const fold = el("details", "so_far");
  const title = el("summary", "", board.so_far);
  title.dataset.keep = "so far";
  fold.open = Boolean(root.board);
  fold.ontoggle = () => (root.board = fold.open);
  fold.append(title, ...parts);
  return [fold];
}

// Tells a screen reader what is new, in an element that stays: one that comes with its text may not be read. After a
// moment, so that of many answers in a row it reads the last number.
function announce(root, text) {
  if (root.announced === text) return;
  root.announced = text;
  clearTimeout(root.announcing);
  root.announcing = setTimeout(() => (root.live.textContent = text), 800);
}

// Draws the parts anew if the data has changed, and keeps the keyboard's place. `still`: data that alone draws nothing.
function drawnAnew(component, root, still, draw) {
  const shown = JSON.stringify({ ...component.data, ...still });
  if (root.shown === shown) return false;
  root.shown = shown;
  if (!root.live) {
    root.live = el("div", "live");
    root.live.setAttribute("role", "status");
    root.body = el("div");
    root.replaceChildren(root.live, root.body);
  }
  keepPlace(root, () => root.body.replaceChildren(...draw().filter(Boolean)));
  for (const box of root.querySelectorAll(".passage")) {
    box.scrollTop = box.scrollHeight;
    if (box.scrollHeight > box.clientHeight + 1) box.tabIndex = 0;
  }
  return true;
}
