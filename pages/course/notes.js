// A step's guess and its ledger; `data` is described in guesses.py and notes.py.

// The question, and a field or a button for each option.
function drawGuess(root, data) {
  const box = el("div", "guess");
  box.onkeydown = (event) => event.key !== "Escape" && event.stopPropagation(); // the page's own shortcuts
  const ask = el("p", "ask");
  ask.id = "ask";
  ask.append(el("b", "", data.labels.before), " ");
  box.append(write(ask, data.guess.ask, data.values, data.terms), data.guess.kind === "choice" ? drawOptions(root, data) : drawField(root, data));
  return box;
}

function drawOptions(root, data) {
  const row = el("div", "answer");
  row.setAttribute("role", "group");
  row.setAttribute("aria-labelledby", "ask");
  for (const [name, text] of data.guess.options) {
    const option = makeButton("option", text, () => root.guess(name));
    option.setAttribute("aria-pressed", String(name === data.guess.text));
    option.dataset.keep = `option ${name}`;
    row.append(option);
  }
  return row;
}

function drawField(root, data) {
  const { kind, text, note } = data.guess;
  const typed = root.typed?.turn === data.turn ? root.typed.text : text; // not sent yet
  const input = el("input", kind);
  Object.assign(input, { type: "text", value: typed, maxLength: 40, autocomplete: "off", autocapitalize: "off", spellcheck: false });
  input.inputMode = kind === "token" ? "text" : "decimal";
  input.enterKeyHint = "done";
  input.dataset.keep = "guess";
  input.setAttribute("aria-labelledby", "ask");
  input.setAttribute("aria-describedby", "noted");
  const send = () => root.guess(input.value.toWellFormed());
  input.oninput = () => (root.typed = { turn: data.turn, text: input.value });
  input.onkeydown = (event) => {
    if (isEnter(event)) send();
  };
  // A click may be what leaves the field: the answer of the app must not redraw the button before it is released.
  input.onchange = () => {
    const late = setTimeout(() => left(), 300);
    const left = () => {
      clearTimeout(late);
      removeEventListener("pointerup", left, true);
      send();
    };
    addEventListener("pointerup", left, true);
  };
  const button = makeButton("note", data.labels.note, send);
  button.dataset.keep = "note";
  const noted = el("p", "noted", note);
  noted.id = "noted";
  noted.setAttribute("aria-live", "polite");
  const answer = el("div", "answer");
  answer.append(input, ...(kind === "percent" ? [el("span", "unit", "%")] : []), button, noted);
  return answer;
}

// The guess beside what came out.
const drawCompared = (data) => write(el("p", "compared"), data.compared.sentence, data.compared.values);

function drawLedger(data) {
  const { settings, columns, rows } = data.ledger;
  const box = el("div", "ledger");
  const table = el("table");
  table.append(el("caption", "", data.labels.tried));
  const head = table.createTHead().insertRow();
  columns.forEach((title) => {
    const cell = el("th", "", title);
    cell.scope = "col";
    head.append(cell);
  });
  const body = table.createTBody();
  for (const { cells, now } of rows) {
    const row = body.insertRow();
    row.className = now ? "now" : "";
    cells.forEach((text, i) => {
      const cell = el(i < settings ? "th" : "td", "", text);
      if (i < settings) cell.scope = "row";
      cell.title = text;
      cell.translate = false;
      row.append(cell);
    });
  }
  box.append(table);
  if (!rows.length) box.append(el("p", "empty", data.labels.empty));
  return box;
}
