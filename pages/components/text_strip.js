// Text strip (stages of the loop, the text as chips with its cursor, branches, the formula) or, with `data.tree`, the
// tree of all branches. Text is set through textContent only. `data` is described in text_strip.py.

const surprise = (logp) => (logp === null ? 0 : surpriseLevel(logp));

function drawLoop(root, data, moved) {
  const loop = el("div", "loop");
  data.labels.loop.forEach((name, i) => {
    if (i) loop.append(el("span", "arrow", "→"));
    const stage = el("span", "stage", name);
    stage.dataset.at = i;
    if (i === data.stage) stage.classList.add("lit");
    // After a step the stages light up once, in the order choice, append, tokens, model, distribution.
    if (moved) {
      const order = (i - 3 + 5) % 5;
      stage.style.animationDelay = `${order * 0.11}s`;
      stage.classList.add("played");
    }
    loop.append(stage);
  });
  root.append(loop);
}

function chip(data, index, extra) {
  const [, label, how, special] = data.nodes[index];
  const node = el("button", `t ${how} ${extra || ""}`, label);
  node.type = "button";
  if (special) node.classList.add("special");
  node.dataset.node = index;
  node.dir = "auto";
  if (index === data.cursor) node.setAttribute("aria-current", "true");
  return node;
}

function drawStrip(root, data) {
  const strip = el("div", "strip");
  const at = data.line.indexOf(data.cursor);
  for (const [from, to, text] of data.groups) {
    const many = to - from > 1;
    const holder = many ? el("span", "group") : strip;
    if (many) {
      const whole = el("span", "whole", text);
      whole.dir = "auto";
      holder.append(whole);
    }
    const parts = many ? el("span", "parts") : holder;
    for (let i = from; i < to; i++) {
      const token = chip(data, data.line[i], `s${surprise(data.facts[i][0])}`);
      if (i > at) token.classList.add("beyond");
      token.dataset.place = i;
      token.dataset.keep = `place ${i}`;
      // Below the whole character the label needs only the part.
      if (many && token.textContent.startsWith(`${text} `)) token.textContent = token.textContent.slice(text.length + 1);
      parts.append(token);
      if (i === at) parts.append(el("span", "cur"));
    }
    if (many) {
      holder.append(parts);
      strip.append(holder);
    }
  }
  strip.setAttribute("role", "toolbar");
  strip.setAttribute("aria-label", data.labels.text);
  roam(strip, ".t", strip.querySelector("[aria-current]"));
  root.append(strip, el("p", "keys", data.labels.alternatives));
  return strip;
}

function childrenOf(data) {
  const children = data.nodes.map(() => []);
  data.nodes.forEach(([parent], i) => parent >= 0 && children[parent].push(i));
  return children;
}

// Branches off the current line: a box with the first tokens of each; a click moves the cursor to its end.
function drawBranches(root, data) {
  const row = el("div", "branches");
  const children = childrenOf(data);
  const onLine = new Set(data.line);
  for (const at of data.line) {
    for (const start of children[at].filter((i) => !onLine.has(i))) {
      const box = el("button", "branch");
      box.dataset.keep = `branch ${start}`;
      box.type = "button";
      let end = start;
      const words = [data.nodes[start][1]];
      while (children[end].length) words.push(data.nodes[(end = children[end].at(-1))][1]);
      box.append(el("span", "after", data.nodes[at][1]), el("span", "words", words.slice(0, 8).join(" ") + (words.length > 8 ? " …" : "")));
      box.title = data.labels.branch;
      box.dataset.node = end;
      row.append(box);
    }
  }
  root.append(row);
}

// The tree as an outline: a run of tokens without a branch is one row; the branches after it are indented rows.
function drawTree(root, data) {
  const children = childrenOf(data);
  const onLine = new Set(data.line);
  const branch = (start, list) => {
    const row = el("li", onLine.has(start) ? "on" : "off");
    const run = el("span", "run");
    let at = start;
    const tokens = [at];
    while (children[at].length === 1) tokens.push((at = children[at][0]));
    const prompt = tokens.filter((i) => data.nodes[i][2] === "prompt");
    // Of a long prompt only the last tokens are drawn.
    const hidden = start === 0 && prompt.length > 12 ? prompt.length - 8 : 0;
    if (hidden) run.append(el("span", "more", `… ${hidden} …`));
    for (const i of tokens.slice(hidden)) {
      const token = chip(data, i, i === data.cursor ? "here" : "");
      token.dataset.keep = `tree ${i}`;
      run.append(token);
    }
    row.append(run);
    if (children[at].length) {
      const next = el("ul");
      children[at].forEach((i) => branch(i, next));
      row.append(next);
    }
    list.append(row);
  };
  const list = el("ul", "tree");
  branch(0, list);
  roam(list, ".t", list.querySelector("[aria-current]"));
  root.append(el("h2", "", data.labels.tree), list);
}

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
  for (const [name, value] of [["log_p", decimal(log_probability)], ["perplexity", decimal(perplexity)], ["choices", data.choices]]) {
    const stat = el("span", "", `${data.labels[name]} `);
    stat.title = data.labels[`${name}_help`];
    stat.append(el("b", "", value));
    stats.append(stat);
  }
  root.append(stats);
  drawChain(root, data, at);
  if (data.stage !== null) root.append(el("p", "note legend", data.labels.legend)); // of the bars below
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

// Live region for screen readers: the token at the cursor, and why a run ended.
function announce(place, data) {
  let said = place.querySelector(".said");
  if (!said) {
    said = el("div", "said");
    said.setAttribute("aria-live", "polite");
    place.append(said);
  }
  said.textContent = [data.nodes[data.cursor][1], data.status].filter(Boolean).join(". ");
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = rootOf(component);
  const moved = root.turn !== undefined && root.turn !== data.turn && root.cursor !== data.cursor;
  root.turn = data.turn;
  root.cursor = data.cursor;
  root.onclick = (event) => {
    const token = event.target.closest("[data-node]");
    if (token) setTriggerValue("go", { turn: data.turn, node: Number(token.dataset.node) });
  };
  if (moved && !data.tree) announce(parentElement, data);
  keepPlace(root, () => drawAll(root, data, moved, setTriggerValue));
}

function drawAll(root, data, moved, setTriggerValue) {
  root.replaceChildren();
  if (data.tree) return drawTree(root, data);
  if (data.stage !== null) drawLoop(root, data, moved);
  const strip = drawStrip(root, data);
  const cursor = strip.querySelector(".cur");
  strip.scrollTop = cursor ? cursor.offsetTop - strip.offsetTop - strip.clientHeight + 60 : 0;
  drawBranches(root, data);
  if (data.status) root.append(el("p", "status", data.status));
  drawFormula(root, data);
  listenForRest(root, strip, data, setTriggerValue);
}
