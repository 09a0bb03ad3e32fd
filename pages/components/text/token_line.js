// The text as chips with its cursor, and the branches off it. Text is set through textContent only. `data` is described
// in text_strip.py.

const surprise = (logp) => (logp === null ? 0 : surpriseLevel(logp));

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
    if (data.breaks?.includes(to - 1)) strip.append(el("span", "break"));
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
