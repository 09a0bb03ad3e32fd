// A round of the quiz, or the summary of a game. All text is set through textContent. `data`: see round_view.py.

const SIGNS = { you: "▶", model: "●", text: "◆" };

function mark(data, whose) {
  const node = el("span", `mark ${whose}`);
  node.append(el("span", "sign", `${SIGNS[whose]} `), data.labels[whose]);
  return node;
}

function drawText(data) {
  const box = el("p", "passage");
  box.append(el("span", "before", data.before));
  if (data.stage === "ask") {
    const gap = el("span", "gap", "？");
    gap.setAttribute("role", "img");
    gap.setAttribute("aria-label", data.labels.gap);
    box.append(gap);
  } else {
    box.append(el("b", "truth", data.truth), el("span", "rest", data.rest));
  }
  return box;
}

function drawAsk(data, report) {
  const form = el("div", "form");
  if (data.mode === "choose") {
    form.setAttribute("role", "group");
    form.setAttribute("aria-label", data.labels.choose);
    form.tabIndex = -1;
    form.classList.add("first");
    data.options.forEach(([token, text], at) => {
      const option = makeButton("option", undefined, () => report("choose", { token }));
      option.append(el("kbd", "", at + 1), el("span", "token", text));
      option.dataset.digit = at + 1;
      form.append(option);
    });
  } else {
    const box = el("input", "box first");
    Object.assign(box, { type: "text", value: data.draft, placeholder: data.placeholder, maxLength: 300 });
    Object.assign(box, { autocomplete: "off", autocapitalize: "off", spellcheck: false });
    box.setAttribute("aria-label", data.labels.label);
    box.setAttribute("aria-describedby", "note");
    const send = () => {
      clearTimeout(box.timer);
      report("guess", { text: box.value.toWellFormed() });
    };
    box.oninput = () => {
      clearTimeout(box.timer);
      box.timer = setTimeout(() => box.isConnected && report("draft", { text: box.value.toWellFormed() }), 500);
    };
    box.onkeydown = (event) => {
      if (!isEnter(event)) return;
      event.preventDefault();
      if (!event.repeat) send();
    };
    form.append(box, makeButton("send", data.labels.guess, send));
  }
  const note = el("p", "note", data.note);
  note.id = "note";
  return [form, note];
}

function drawRows(data) {
  const table = el("table", "rows");
  const head = el("tr");
  for (const name of ["token", "who", "probability", "bits", "rank"]) {
    const cell = el("th", name, data.labels[name]);
    cell.scope = "col";
    head.append(cell);
  }
  const top = el("thead");
  top.append(head);
  const body = el("tbody");
  const most = Math.max(...data.rows.map((row) => row.p), 1e-12);
  for (const row of data.rows) {
    const line = el("tr", row.others ? "others" : row.marks.length ? "marked" : "");
    const word = el("th", "token", row.text);
    word.scope = "row";
    const who = el("td", "who");
    const bar = el("div", "bar");
    bar.style.width = `${(100 * row.p) / most}%`;
    const track = el("div", "track");
    track.setAttribute("aria-hidden", "true");
    track.append(bar);
    who.append(track, ...row.marks.map((whose) => mark(data, whose)));
    line.append(word, who, el("td", "probability", row.probability), el("td", "bits", row.bits), el("td", "rank", row.rank));
    body.append(line);
  }
  table.append(top, body);
  return table;
}

function drawReveal(data, report) {
  const go = makeButton("go first", data.last ? data.labels.result : data.labels.go, () => report("go", {}));
  go.setAttribute("aria-describedby", "told");
  return [drawTold(data), go, drawRows(data), el("p", "note", data.labels.legend)];
}

function drawTold(data) {
  const told = el("div", "told");
  told.id = "told";
  data.told.forEach((line, at) => told.append(el("p", at ? "" : "verdict", line)));
  return told;
}

function drawTable(name, heads, lines) {
  const table = el("table", name);
  const head = el("tr");
  for (const text of heads) {
    const cell = el("th", "", text);
    cell.scope = "col";
    head.append(cell);
  }
  const top = el("thead");
  const body = el("tbody");
  top.append(head);
  for (const cells of lines) {
    const line = el("tr");
    cells.forEach((content, at) => {
      const cell = el(at ? "td" : "th");
      if (!at) cell.scope = "row";
      cell.append(content);
      line.append(cell);
    });
    body.append(line);
  }
  table.append(top, body);
  const pane = el("div", "pane");
  pane.append(table);
  return pane;
}

function drawSummary(data, report) {
  const again = makeButton("again", data.labels.again, () => report("again", {}));
  const told = drawTold(data);
  told.tabIndex = -1; // focus here, so that Enter does not start a new game
  told.classList.add("first");
  const { labels } = data;
  const named = ["you", "model", "text"];
  const totals = data.totals.map(([name, ...cells], at) => {
    const title = el("span");
    title.append(el("span", named[at] ? `mark ${named[at]}` : "mark", SIGNS[named[at]] ?? ""));
    title.append(name);
    return [title, ...cells];
  });
  return [told, again, drawTable("totals", [labels.line, labels.hits, labels.mean, labels.perplexity], totals)];
}

function drawRounds(data) {
  const { labels } = data;
  const guess = ([text, bits, hit]) => {
    const cell = el("span", hit ? "hit" : "");
    cell.append(el("span", "token", text), hit ? " ✓" : "", el("small", "", bits));
    return cell;
  };
  const rounds = data.rounds.map((round, at) => [
    String(at + 1), el("span", "before", round.before), ...round.guesses.map(guess), guess(round.truth),
  ]);
  const heads = ["you", "model", "text"].map((whose) => `${SIGNS[whose]} ${labels[whose]}`);
  return drawTable("rounds", [labels.round, labels.before, ...heads], rounds);
}

// Page-wide shortcuts where the keys have no other use: digits choose an option, Enter continues.
function onKey(root, event) {
  if (!root.isConnected) return document.removeEventListener("keydown", root.onKey);
  const at = root.getRootNode().activeElement ?? document.activeElement;
  const free = document.activeElement === document.body || root.contains(at);
  if (!free || event.ctrlKey || event.altKey || event.metaKey || at?.tagName === "INPUT") return;
  if (event.key === "Enter" && event.repeat) return event.preventDefault();
  const wanted = /^[1-9]$/.test(event.key)
    ? root.querySelector(`[data-digit="${event.key}"]`)
    : event.key === "Enter" && at?.tagName !== "BUTTON" && root.querySelector("button.go");
  if (!wanted) return;
  event.preventDefault();
  wanted.click();
}

export default function (component) {
  const { data, setTriggerValue } = component;
  const root = rootOf(component);
  root.sent = false;
  const { draft, ...rest } = data;
  const shown = JSON.stringify(rest);
  if (root.shown === shown) return;
  const place = `${data.turn} ${data.stage} ${data.mode}`;
  const moved = root.place !== undefined && root.place !== place;
  const typed = root.place === place ? root.querySelector("input")?.value : undefined;
  const focused = root.place === place && root.contains(root.getRootNode().activeElement);
  Object.assign(root, { shown, place });
  const report = (name, value) => {
    if (root.sent && name !== "draft") return;
    root.sent = name !== "draft";
    setTriggerValue(name, { turn: data.turn, ...value });
  };
  if (data.stage === "rounds") return root.replaceChildren(drawRounds(data));
  const head = el("div", "head");
  head.append(el("h2", "", data.head), el("span", "score", data.score ?? ""));
  const parts = { ask: drawAsk, reveal: drawReveal, summary: drawSummary }[data.stage](data, report);
  const problem = el("p", "problem", data.problem);
  problem.setAttribute("role", "alert");
  root.replaceChildren(head, ...(data.stage === "summary" ? [] : [drawText(data)]), problem, ...parts);
  const first = root.querySelector(".first");
  if (typed !== undefined && first?.tagName === "INPUT") first.value = typed;
  if (moved || focused) first?.focus({ preventScroll: true });
  const text = root.querySelector(".passage");
  if (text && data.stage === "ask") text.scrollTop = text.scrollHeight;
  for (const pane of root.querySelectorAll(".passage, .pane")) {
    if (pane.scrollHeight > pane.clientHeight + 1 || pane.scrollWidth > pane.clientWidth + 1) pane.tabIndex = 0;
  }
  if (!root.onKey) {
    root.onKey = (event) => onKey(root, event);
    document.addEventListener("keydown", root.onKey);
  }
}
