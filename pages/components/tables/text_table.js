// Texts as rows of token chips with measures, in groups or sorted by a measure. Text is set through textContent only.
// `data` is described in text_table.py.

const surprise = (p) => ["", " s1", " s2"][surpriseLevel(Math.log(p))];

// Background of a chip by probability: one stripe for each token of the character.
const shade = (parts) => {
  const stops = parts.map((p, i) => {
    return `${beliefColor(p)} ${(100 * i) / parts.length}% ${(100 * (i + 1)) / parts.length}%`;
  });
  return `linear-gradient(to right, ${stops.join(", ")})`;
};

function drawChips(text) {
  const box = el("div", "chips");
  for (const [read, parts, told, repeated, special] of text.chips) {
    const chip = el("span", `t${surprise(Math.min(...parts))}${repeated ? " again" : ""}${special ? " special" : ""}`, read);
    chip.style.backgroundImage = shade(parts);
    chip.title = told;
    chip.dir = "auto";
    if (repeated === 2) box.append(el("span", "mark", "↻"));
    box.append(chip);
  }
  if (!text.chips.length) box.append(el("span", "t", "\u200b"));
  if (text.status) box.append(el("span", "status", text.status));
  return box;
}

function drawNumbers(data, numbers, sort) {
  const box = el("div", "numbers");
  for (const [key, name, help, , shown] of data.measures) {
    if (!shown && sort.key !== key) continue;
    const cell = el("span", key === sort.key ? "n by" : "n");
    cell.title = help;
    cell.append(el("i", "", name), el("b", "", numbers[key]?.[1] ?? ""));
    box.append(cell);
  }
  return box;
}

function drawText(data, group, text, sort, named) {
  const row = el("div", named ? "row text named" : "row text");
  const head = el("div", "who");
  if (named) head.append(el("span", "name", group.name));
  head.append(el("span", "seed", text.seed));
  const take = el("button", "take", data.labels.take);
  take.type = "button";
  take.title = data.labels.take_help;
  take.disabled = !text.chips.length;
  if (text.at) take.dataset.at = text.at.join(":");
  row.append(head, drawChips(text), drawNumbers(data, text.numbers, sort), take);
  return row;
}

function drawSort(root, data, sort, again) {
  const bar = el("div", "bar");
  const label = el("label", "", `${data.labels.sort} `);
  const list = el("select");
  for (const [key, name] of [["way", data.labels.by_way], ...data.measures]) {
    const option = el("option", "", name);
    option.value = key;
    option.selected = key === sort.key;
    list.append(option);
  }
  list.onchange = () => again({ key: list.value, turned: false });
  label.append(list);
  bar.append(label);
  if (sort.key !== "way") {
    const measure = data.measures.find(([key]) => key === sort.key);
    const turn = el("button", "turn", measure[3] !== sort.turned ? "↓" : "↑");
    turn.type = "button";
    turn.title = data.labels.turn_round;
    turn.setAttribute("aria-label", data.labels.turn_round);
    turn.onclick = () => again({ key: sort.key, turned: !sort.turned });
    bar.append(turn, el("span", "help", measure[2]));
  }
  root.append(bar);
}

// Names of the measures above their columns.
function drawHead(root, data, sort) {
  const head = el("div", "row head");
  head.append(el("div", "what"), drawNumbers(data, {}, sort));
  root.append(head);
}

function drawGroups(root, data, sort) {
  for (const group of data.groups) {
    const title = el("div", "row title");
    const who = el("div", "what");
    who.append(el("span", "name", group.name), el("span", "note", group.note));
    if (group.status) who.append(el("span", "note", group.status));
    title.append(who, drawNumbers(data, group.numbers, sort));
    root.append(title);
    for (const text of group.texts) root.append(drawText(data, group, text, sort, false));
  }
}

function drawSorted(root, data, sort) {
  const highest = data.measures.find(([key]) => key === sort.key)[3] !== sort.turned;
  const all = data.groups.flatMap((group) => group.texts.map((text) => [group, text, text.numbers[sort.key]?.[0] ?? null]));
  // Texts without a value are last in both orders.
  all.sort(([, , a], [, , b]) => (a === null) - (b === null) || (highest ? b - a : a - b));
  for (const [group, text] of all) root.append(drawText(data, group, text, sort, true));
}

export default function (component) {
  const { data, setTriggerValue } = component;
  const root = rootOf(component);
  root.sort ??= { key: "way", turned: false };
  const again = (wanted) => {
    root.sort = wanted;
    drawAll();
    root.querySelector("select")?.focus();
  };
  const drawAll = () => {
    root.replaceChildren();
    const written = data.groups.some((group) => group.texts.length);
    if (written && data.sortable) drawSort(root, data, root.sort, again);
    if (written) drawHead(root, data, root.sort);
    if (!written || root.sort.key === "way") drawGroups(root, data, { key: "way" });
    else drawSorted(root, data, root.sort);
    root.classList.toggle("empty", !written);
    if (!written) return;
    root.append(el("p", "legend", data.labels.legend));
    const all = data.groups.flatMap((group) => group.texts.flatMap((text) => text.chips.map((chip) => [group, text, chip])));
    const rows = () => all.map(([group, text, [, , told, repeated]]) => [group.name, text.seed, told, repeated ? "↻" : ""]);
    root.append(asTable(root, "tokens", data.labels.table, data.labels.told, rows));
  };
  root.onclick = (event) => {
    const take = event.target.closest("[data-at]");
    if (!take) return;
    const [entry, text] = take.dataset.at.split(":").map(Number);
    setTriggerValue("take", { turn: data.turn, entry, text });
  };
  drawAll();
}
