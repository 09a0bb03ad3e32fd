// P(？| text), the log-probability and the perplexity of the text, and its chain rule. Text is set through textContent
// only. `data` is described in text_strip.py.

function drawFormula(root, data) {
  const formula = el("div", "formula");
  formula.append(el("span", "p", "P("), el("i", "ask", "？"), el("span", "p", "|"));
  const at = data.line.indexOf(data.cursor);
  const shown = data.line.slice(0, at + 1);
  const skip = shown.length > 20 ? shown.length - 16 : 0;
  shown.forEach((index, i) => {
    if (skip && i === 4) formula.append(el("span", "more", `… ${skip} …`));
    if (skip && i >= 4 && i < 4 + skip) return;
    const token = el("i", "", data.nodes[index][1]);
    token.dir = "auto";
    formula.append(token);
  });
  formula.append(el("span", "p", ")"));
  root.append(formula);
  const stats = el("div", "stats");
  const decimal = (value) => value.toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 }).replace("-", "−");
  const { log_probability, perplexity } = data.totals;
  for (const [name, value] of [["log_p", decimal(log_probability)], ["perplexity", decimal(perplexity ?? Infinity)], ["choices", data.choices]]) {
    const stat = el("span", "", `${data.labels[name]} `);
    stat.title = data.labels[`${name}_help`];
    stat.append(el("b", "", value));
    stats.append(stat);
  }
  root.append(stats);
  drawChain(root, data, at);
}

// Chain rule: the probability of each token as a factor, the least probable ones marked.
function drawChain(root, data, at) {
  if (at < 1) return;
  const box = el("details", "chain");
  box.open = root.chainOpen === true;
  box.addEventListener("toggle", () => (root.chainOpen = box.open));
  const name = el("summary", "", data.labels.chain);
  name.dataset.keep = "chain";
  box.append(name);
  const known = data.facts.slice(1, at + 1).map((f) => f[0]);
  const lowest = Math.min(...known);
  const list = el("div", "factors");
  known.forEach((logp, i) => {
    const factor = el("span", logp === lowest ? "factor lowest" : "factor");
    factor.append(el("i", "", data.nodes[data.line[i + 1]][1]), el("b", "", percent(data, Math.exp(logp))));
    if (i) list.append(el("span", "times", "×"));
    list.append(factor);
  });
  box.append(list, el("p", "note", data.labels.lowest));
  root.append(box);
}
