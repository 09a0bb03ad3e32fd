// A prompt in its parts and the model's text after them. All text goes in through textContent. `data`: task_prompt.py.

function row(kind, name) {
  const part = el("div", `part ${kind}`);
  const text = el("div", "text");
  part.append(el("span", "name", name), text);
  return [part, text];
}

// The darker, the more the model believed in it.
function chip([read, parts, told, , special]) {
  const token = el("span", special ? "t special" : "t", read);
  const p = Math.min(...parts);
  token.style.background = beliefColor(p);
  token.title = told;
  token.dir = "auto";
  return token;
}

export default function (component) {
  const { data } = component;
  const root = rootOf(component);
  root.replaceChildren();
  for (const [kind, name, words] of data.parts) {
    const [part, text] = row(kind, name);
    text.textContent = words.replace(/\n+$/, "");
    root.append(part);
  }
  const [part, text] = row("own", data.own);
  for (const token of data.chips) {
    text.append(chip(token));
    if (token[0].includes("↵")) text.append(el("br"));
  }
  if (!data.chips.length && !data.running) text.append(el("span", "waiting", data.waiting));
  if (data.running || !data.chips.length) text.append(el("span", "cur"));
  if (data.status) text.append(el("span", "status", data.status));
  root.append(part);
}
