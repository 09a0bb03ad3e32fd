// Labeled parts of a prompt and the generated text after them. All text is set through textContent.
// `data` is described in prompt_view.py.

function row(kind, name) {
  const part = el("div", `part ${kind}`);
  const text = el("div", "text");
  part.append(el("span", "name", name), text);
  return [part, text];
}

// The background is stronger for a more probable token; for several tokens, the least probable one counts.
function chip([text, probabilities, tooltip, , special]) {
  const token = el("span", special ? "t special" : "t", text);
  const p = Math.min(...probabilities);
  token.style.background = beliefColor(p);
  token.title = tooltip;
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
