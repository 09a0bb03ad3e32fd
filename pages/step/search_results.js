// Buttons for the tokens that match a search, each with its rank and probability. Text is only ever set through
// textContent. `data` is described in search_results.py.

export default function (component) {
  const { data, setTriggerValue } = component;
  const root = rootOf(component);
  keepPlace(root, () => drawAll(root, data, setTriggerValue));
}

function drawAll(root, data, setTriggerValue) {
  root.replaceChildren();
  for (const [id, text, note] of data.found) {
    const row = document.createElement("button");
    row.type = "button";
    row.dataset.keep = id;
    for (const [name, value] of [["word", text], ["note", note]]) {
      const cell = document.createElement("span");
      cell.className = name;
      cell.textContent = value;
      row.append(cell);
    }
    row.onclick = () => setTriggerValue("pick", { turn: data.turn, token: id });
    root.append(row);
  }
}
