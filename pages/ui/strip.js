// The text strip (the loop's stages, the text as chips with its cursor, branches, the formula) or, with `data.tree`,
// the tree of every way that was gone.
// All text goes in through textContent. `data` is described in strip.py.

const surprise = (logp) => {
  if (logp === null) return 0;
  const bits = -logp / Math.LN2;
  return bits < 3 ? 0 : bits < 7 ? 1 : 2;
};

function drawLoop(root, data, moved) {
  const loop = el("div", "loop");
  data.labels.loop.forEach((name, i) => {
    if (i) loop.append(el("span", "arrow", "→"));
    const stage = el("span", "stage", name);
    stage.dataset.at = i;
    if (i === data.stage) stage.classList.add("lit");
    // After a move the whole round is played once: choose, append, cut, ask, distribution.
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
      // Under the whole character it is enough to say which part a token is.
      if (many && token.textContent.startsWith(`${text} `)) token.textContent = token.textContent.slice(text.length + 1);
      parts.append(token);
      if (i === at) parts.append(el("span", "cur"));
    }
    if (many) {
      holder.append(parts);
      strip.append(holder);
    }
  }
  root.append(strip);
  return strip;
}

function childrenOf(data) {
  const children = data.nodes.map(() => []);
  data.nodes.forEach(([parent], i) => parent >= 0 && children[parent].push(i));
  return children;
}

// Ways that leave the text before the cursor's end: a box each, its first tokens, a click switches to it.
function drawBranches(root, data) {
  const row = el("div", "branches");
  const children = childrenOf(data);
  const onLine = new Set(data.line);
  for (const at of data.line) {
    for (const start of children[at].filter((i) => !onLine.has(i))) {
      const box = el("button", "branch");
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

// The tree as an outline: a run of tokens without a fork is one row; each way on from a fork is a row below it.
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
    // A long prompt is known already: its last tokens are enough here.
    const hidden = start === 0 && prompt.length > 12 ? prompt.length - 8 : 0;
    if (hidden) run.append(el("span", "more", `… ${hidden} …`));
    tokens.slice(hidden).forEach((i) => run.append(chip(data, i, i === data.cursor ? "here" : "")));
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

// The chain rule with the learner's own numbers: one factor a token, the least probable marked.
function drawChain(root, data, at) {
  if (at < 1) return;
  const box = el("details", "chain");
  box.open = root.chainOpen === true;
  box.addEventListener("toggle", () => (root.chainOpen = box.open));
  box.append(el("summary", "", data.labels.chain));
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

// What else could have stood at a place: shown after a short rest of the pointer, each can be taken.
function drawCard(root, data, token, send) {
  const place = Number(token.dataset.place);
  const [logp, rank, others] = data.facts[place];
  const card = el("div", "card");
  const index = data.line[place];
  card.append(el("div", "head", data.nodes[index][1]));
  if (logp === null) {
    card.append(el("p", "note", data.labels.first));
  } else {
    card.append(el("p", "note", data.labels.rank.replace("{p}", percent(data, Math.exp(logp))).replace("{rank}", rank.toLocaleString("en"))));
    for (const [id, text, p] of others) {
      const row = el("button", "other");
      row.type = "button";
      row.append(el("span", "word", text), el("span", "bar"), el("span", "value", percent(data, p)));
      row.children[1].style.setProperty("--p", p);
      if (text === data.nodes[index][1]) row.classList.add("same");
      row.onclick = () => send("pick", { turn: data.turn, after: data.nodes[index][0], token: id });
      card.append(row);
    }
  }
  const box = token.getBoundingClientRect();
  const home = root.getBoundingClientRect();
  card.style.top = `${box.bottom - home.top + 6}px`;
  card.style.left = `${Math.max(0, Math.min(box.left - home.left, home.width - 250))}px`;
  root.append(card);
  return card;
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".root");
  root.className = `root ${data.dark ? "dark" : ""}`;
  const moved = root.turn !== undefined && root.turn !== data.turn && root.cursor !== data.cursor;
  root.turn = data.turn;
  root.cursor = data.cursor;
  root.replaceChildren();
  root.onclick = (event) => {
    const token = event.target.closest("[data-node]");
    if (token) setTriggerValue("go", { turn: data.turn, node: Number(token.dataset.node) });
  };
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

function listenForRest(root, strip, data, setTriggerValue) {
  let card, timer;
  const hide = () => {
    clearTimeout(timer);
    card?.remove();
    card = undefined;
  };
  strip.onpointerover = (event) => {
    const token = event.target.closest(".t");
    if (!token || event.pointerType === "touch") return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      hide();
      if (!strip.isConnected) return;
      card = drawCard(root, data, token, (name, value) => {
        hide();
        setTriggerValue(name, value);
      });
      card.onpointerleave = hide;
      card.onpointerenter = () => clearTimeout(timer);
    }, 300);
  };
  strip.onpointerout = () => {
    clearTimeout(timer);
    timer = setTimeout(hide, 250);
  };
}
