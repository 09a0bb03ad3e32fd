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
