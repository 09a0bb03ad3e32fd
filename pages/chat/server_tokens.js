// The tokens of a server's reply as chips; the one that is chosen is shown with its alternatives below them. All text is
// set through textContent. `data` is described in server_tokens.py.

export default function (component) {
  const { data } = component;
  const root = rootOf(component);
  if (root.turn !== data.turn || data.running) root.chosen = undefined;
  root.turn = data.turn;
  const draw = () =>
    keepPlace(root, () => {
      root.replaceChildren(chipsOf(root, data, draw));
      const token = data.tokens[root.chosen];
      if (token) root.append(lookAt(data, token));
      else if (data.tokens.length && !data.running) root.append(el("p", "hint", data.labels.look));
    });
  draw();
}

function chipsOf(root, data, draw) {
  const chips = el("div", "chips");
  chips.setAttribute("role", "toolbar");
  chips.setAttribute("aria-label", data.labels.tokens);
  data.tokens.forEach(({ label, logp, breaks }, at) => {
    const level = logp === null ? 2 : surpriseLevel(logp);
    const chip = makeButton(`t s${level}`, label, () => {
      root.chosen = root.chosen === at ? undefined : at;
      draw();
    });
    chip.dir = "auto";
    chip.dataset.keep = `token ${at}`;
    chip.disabled = data.running;
    chip.setAttribute("aria-pressed", String(root.chosen === at));
    chips.append(chip);
    if (breaks) chips.append(el("span", "break"));
  });
  if (data.running) chips.append(el("span", "cur"));
  roam(chips, ".t", chips.querySelector("[aria-pressed=true]"));
  return chips;
}

// A token with its probability, the alternatives that the server lists, all others as one, and the entropy.
function lookAt(data, { label, logp, others, rest, at, nats, choices, merged }) {
  const { labels } = data;
  const view = el("div", "view");
  view.setAttribute("aria-live", "polite");
  view.append(el("div", "head", label));
  const p = logp === null ? "" : percent(data, Math.exp(logp));
  const sentence = logp === null ? labels.unsaid : at < 0 ? labels.unlisted : labels.listed;
  view.append(el("p", "note", fill(sentence, { p, rank: at + 1, n: others.length })));
  const rows = el("div", "rows");
  rows.tabIndex = 0; // it scrolls
  rows.setAttribute("role", "group");
  rows.setAttribute("aria-label", fill(sentence, { p, rank: at + 1, n: others.length }));
  others.forEach(([text, share], i) => rows.append(rowOf(data, text, share, i === at ? "same" : "")));
  view.append(rows, rowOf(data, labels.rest, rest, "rest"), el("p", "note", fill(labels.entropy, { nats, choices })));
  if (merged) view.append(el("p", "note", labels.merged));
  return view;
}

function rowOf(data, text, p, kind) {
  const row = el("div", `other ${kind}`);
  const word = el("span", "word", text);
  word.dir = "auto";
  word.title = text;
  row.append(word, el("span", "bar"), el("span", "value", percent(data, p)));
  row.children[1].style.setProperty("--p", p);
  return row;
}
