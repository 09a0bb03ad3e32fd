// The least expected tokens of a text, each with its context; a click opens its position. All text is set through
// textContent. `data` is described in surprises.py.

export default function (component) {
  const { data, setTriggerValue } = component;
  const root = rootOf(component);
  keepPlace(root, () => drawAll(root, data, setTriggerValue));
}

function drawAll(root, data, setTriggerValue) {
  root.replaceChildren();
  for (const [position, before, token, told, expected] of data.rows) {
    const row = el("button", "row");
    row.type = "button";
    row.dataset.keep = position;
    row.setAttribute("aria-pressed", String(position === data.opened));
    const words = el("span", "words");
    const left = el("bdi", "before", before);
    const sign = el("bdi", "token", token);
    words.append(left, sign);
    row.append(words, el("span", "told", told));
    if (expected) row.append(el("span", "expected", expected));
    row.onclick = () => setTriggerValue("open", { turn: data.turn, position });
    root.append(row);
  }
}
