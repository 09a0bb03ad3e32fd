// The texts of a class that all continue the same beginning: a wall of them, and a tree of their prefixes.
// All text through textContent. `data`: see spread_view.py.

function wallOf(data, labels) {
  const wall = el("ul", "wall");
  for (const [name, text] of data.wall) {
    const card = el("li");
    const who = el("span", "who", name);
    who.dir = "auto";
    const written = el("p", "text");
    written.append(text ? el("b", "", text) : el("i", "", labels.withheld));
    card.append(who, written);
    wall.append(card);
  }
  return wall;
}

function branchOf(node, labels) {
  const item = el("li");
  const word = el("span", "node");
  const text = el("span", "word", node.text);
  text.dir = "auto";
  word.append(text);
  if (node.count > 1) {
    const count = el("span", "count", `× ${node.count}`);
    count.setAttribute("aria-label", fill(labels.branch, { n: node.count }));
    count.setAttribute("role", "img");
    word.append(count);
  }
  if (node.names.length) {
    const names = el("small", "names", node.names.join(" · "));
    names.dir = "auto";
    word.append(names);
  }
  item.append(word);
  if (node.children.length) item.append(treeOf(node.children, labels));
  return item;
}

function treeOf(nodes, labels) {
  const tree = el("ul", "tree");
  for (const node of nodes) tree.append(branchOf(node, labels));
  return tree;
}

// Both views, of which one is shown; `root.view` is the one that was chosen last.
function spreadTexts(data, root) {
  const labels = data.spread_labels;
  if (!data.wall.length) return [];
  const views = { wall: wallOf(data, labels), tree: treeOf(data.tree, labels) };
  views.tree.classList.add("whole");
  const choice = el("div", "views");
  choice.setAttribute("role", "group");
  choice.setAttribute("aria-label", labels.views);
  const show = (wanted) => {
    root.view = wanted;
    for (const [name, view] of Object.entries(views)) view.hidden = name !== wanted;
    for (const button of choice.children) button.setAttribute("aria-pressed", String(button.dataset.keep === wanted));
  };
  for (const name of Object.keys(views)) {
    const button = makeButton("view", labels[name], () => show(name));
    button.dataset.keep = name;
    choice.append(button);
  }
  show(root.view ?? "wall");
  return [choice, views.wall, views.tree];
}
