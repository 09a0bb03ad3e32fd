// Tree of a beam search, growing from left to right. Text is only ever set through textContent. `data` is described in
// tree.py.

const ROW = 30;
const BOX = 24;
const GAP = 34;
const TOP = 34;

// Estimated width in pixels, with 0.56 em for a narrow character as in a proportional font.
const wide = (text, size) => textWidth(text, size, 0.56);
const LONGEST = 130;
const boxWidth = (node) => Math.min(wide(node.label, 15), LONGEST) + (node.p ? wide(node.p, 11) + 7 : 0) + 14;
const shorten = (text) => {
  if (wide(text, 15) <= LONGEST) return text;
  const signs = [...text];
  while (signs.length && wide(signs.join(""), 15) > LONGEST - 15) signs.pop();
  return `${signs.join("")}…`;
};

// Pixel positions of the nodes: each column is as wide as its widest node, and the topmost row is at TOP.
function place(data) {
  const widths = [];
  for (const node of data.nodes) {
    const stub = node.stub || node.folds ? 34 : 0;
    widths[node.level] = Math.max(widths[node.level] ?? 0, boxWidth(node) + stub);
  }
  const left = [12];
  widths.forEach((width, level) => (left[level + 1] = left[level] + width + GAP));
  const rows = data.nodes.map((node) => node.row);
  const top = Math.min(...rows);
  const at = new Map();
  for (const node of data.nodes) {
    at.set(node.id, { node, x: left[node.level], y: TOP + (node.row - top) * ROW, w: boxWidth(node) });
  }
  return { at, left, levels: widths.length, width: left[widths.length] - GAP + 20, height: TOP + (Math.max(...rows) - top + 1) * ROW + 6 };
}

function drawEdge(from, to, fresh) {
  const x = from.x + from.w;
  const y = from.y + BOX / 2;
  const end = to.y + BOX / 2;
  const middle = (x + to.x) / 2;
  const edge = svg("path", { d: `M${x} ${y} C${middle} ${y} ${middle} ${end} ${to.x} ${end}`, class: `edge ${to.node.kind}` });
  if (fresh) edge.classList.add("fresh");
  return edge;
}

function drawNode({ node, x, y, w }, data, fresh) {
  const group = svg("g", { class: `node ${node.kind}${node.id === data.opened ? " open" : ""}${fresh ? " fresh" : ""}`, transform: `translate(${x} ${y})`, tabindex: -1, role: "button" });
  group.dataset.node = node.id;
  group.dataset.keep = `node ${node.id}`;
  group.append(svg("rect", { class: "box", width: w, height: BOX, rx: 5 }));
  group.append(svg("text", { class: "word", x: 7, y: 17 }, shorten(node.label)));
  if (node.p) group.append(svg("text", { class: "p", x: w - 6, y: 16, "text-anchor": "end" }, node.p));
  if (node.ends) group.append(svg("line", { class: "close", x1: w + 3, x2: w + 3, y1: 2, y2: BOX - 2 }));
  group.setAttribute("aria-label", [node.label, ...node.told].join(". "));
  return group;
}

function drawStub({ node, x, y, w }, data) {
  const group = svg("g", { class: "stub", transform: `translate(${x + w + 8} ${y + 4})`, tabindex: -1, role: "button" });
  group.dataset.fold = node.id;
  group.dataset.keep = `fold ${node.id}`;
  const text = node.stub ? `+${node.stub}` : "−";
  group.append(svg("rect", { width: wide(text, 12) + 10, height: 17, rx: 8 }), svg("text", { x: 5, y: 13 }, text));
  group.setAttribute("aria-label", node.stub ? data.labels.more.replace("{n}", node.stub) : data.labels.fold);
  group.append(svg("title", {}, node.stub ? data.labels.more.replace("{n}", node.stub) : data.labels.fold));
  return group;
}

function drawTree(data, before) {
  const { at, left, levels, width, height } = place(data);
  const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": data.labels.name });
  for (let level = 1; level < levels; level++) picture.append(svg("text", { class: "head", x: left[level] + 2, y: 18 }, data.labels.level.replace("{n}", level)));
  // Faint edges are drawn first, so that they do not cover the strong ones.
  const order = ["pruned", "dead", "live", "win"];
  const edges = data.nodes.filter((node) => at.has(node.parent)).sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  for (const node of edges) picture.append(drawEdge(at.get(node.parent), at.get(node.id), before && !before.has(node.id)));
  for (const item of at.values()) {
    if (item.node.stub || item.node.folds) picture.append(drawStub(item, data));
    picture.append(drawNode(item, data, before && !before.has(item.node.id)));
  }
  return { picture, width, height, at };
}

// Arrow-key navigation: right to the stub of a node or else to its nearest child, left to its parent, up and down within
// its level.
function arrowNavigation(at) {
  const of = (item) => at.get(Number(item.dataset.node ?? item.dataset.fold));
  const nearest = (items, y) => items.sort((a, b) => Math.abs(of(a).y - y) - Math.abs(of(b).y - y))[0] ?? null;
  return (item, key, items) => {
    const { node, y } = of(item);
    const nodes = items.filter((other) => other.dataset.node !== undefined);
    const folds = item.dataset.fold !== undefined;
    if (key === "ArrowLeft") return folds ? nodes.find((other) => of(other).node === node) : (nodes.find((other) => of(other).node.id === node.parent) ?? null);
    if (key === "ArrowRight") {
      const fold = items.find((other) => other.dataset.fold === String(node.id));
      return !folds && fold ? fold : nearest(nodes.filter((other) => of(other).node.parent === node.id), y);
    }
    if (key !== "ArrowUp" && key !== "ArrowDown") return undefined;
    const sign = key === "ArrowUp" ? -1 : 1;
    return nearest(nodes.filter((other) => of(other).node.level === node.level && (of(other).y - y) * sign > 0), y);
  };
}

function drawTools(root, data, zoom) {
  const tools = el("div", "tools");
  const factors = [["−", data.labels.smaller, () => root.zoom / 1.25], ["+", data.labels.larger, () => root.zoom * 1.25], [data.labels.fit, data.labels.fit, () => "fit"]];
  for (const [sign, title, factor] of factors) {
    const button = el("button", "", sign);
    button.type = "button";
    button.title = title;
    button.setAttribute("aria-label", title);
    button.onclick = () => zoom(factor());
    tools.append(button);
  }
  tools.append(el("span", "legend", data.labels.legend));
  root.append(tools);
}

// Dragging with the mouse scrolls the picture; touch devices scroll natively.
function listenForDrag(pane) {
  let from;
  pane.onpointerdown = (event) => {
    if (event.pointerType !== "mouse" || event.button) return;
    from = { x: event.clientX + pane.scrollLeft, y: event.clientY + pane.scrollTop, at: [event.clientX, event.clientY] };
  };
  pane.onpointermove = (event) => {
    if (!from) return;
    if (Math.hypot(event.clientX - from.at[0], event.clientY - from.at[1]) > 5) {
      if (!pane.classList.contains("held")) pane.setPointerCapture(event.pointerId);
      pane.classList.add("held");
    }
    pane.scrollLeft = from.x - event.clientX;
    pane.scrollTop = from.y - event.clientY;
  };
  pane.onpointerup = pane.onpointercancel = () => {
    from = undefined;
    setTimeout(() => pane.classList.remove("held"));
  };
}

// Card of a node, shown while the pointer is over it or while it has keyboard focus.
function listenForHover(root, pane, at) {
  let card;
  const hide = () => {
    card?.remove();
    card = undefined;
  };
  const show = (group) => {
    hide();
    if (!group) return;
    const { node } = at.get(Number(group.dataset.node));
    card = el("div", "card");
    card.append(el("b", "", node.label), ...node.told.map((line) => el("div", "", line)));
    root.append(card);
    const box = group.getBoundingClientRect();
    const home = root.getBoundingClientRect();
    const scale = scaleOf(root);
    card.style.left = `${Math.max(0, Math.min((box.left - home.left) / scale, root.offsetWidth - card.offsetWidth - 4))}px`;
    card.style.top = `${(box.bottom - home.top) / scale + 5}px`;
  };
  pane.onpointerover = (event) => show(event.pointerType === "touch" ? null : event.target.closest(".node"));
  pane.onpointerleave = hide;
  pane.addEventListener("focusin", (event) => event.target.matches(":focus-visible") && show(event.target.closest(".node")));
  pane.addEventListener("focusout", hide);
}

export default function (component) {
  const root = rootOf(component);
  root.zoom ??= 1;
  root.send = component.setTriggerValue;
  listenForGrow(root);
  if (isNews(root, component.data, "turn")) show(root, component.data);
}

// Shows the next level at a click on the page's button, before the app answers; page.py has sent it in advance.
function listenForGrow(root) {
  if (root.listens) return;
  root.listens = true;
  const clicked = ({ target }) => {
    if (!root.isConnected) return document.removeEventListener("click", clicked, true);
    if (target.closest?.(".st-key-grow button:enabled")) showInAdvance(root, "next_level", show);
  };
  document.addEventListener("click", clicked, true);
}

function show(root, data) {
  root.data = data;
  const old = root.querySelector(".pane");
  const scroll = old ? [old.scrollLeft, old.scrollTop] : null;
  const deepest = Math.max(...data.nodes.map((node) => node.level));
  const grown = root.deepest === undefined || deepest !== root.deepest;
  const { picture, width, height, at } = drawTree(data, root.known);
  root.known = new Set(at.keys());
  root.deepest = deepest;
  const pane = el("div", "pane");
  pane.append(picture);
  roam(picture, "[role=button]", picture.querySelector(`[data-node="${data.opened}"]`), arrowNavigation(at));
  keepPlace(root, () => root.replaceChildren(pane));
  const zoom = (factor) => {
    root.zoom = factor === "fit" ? Math.min(1, (pane.clientWidth - 4) / width) : Math.max(0.2, Math.min(2, factor));
    picture.setAttribute("width", width * root.zoom);
    picture.setAttribute("height", height * root.zoom);
    if (factor === "fit") pane.scrollLeft = pane.scrollTop = 0;
  };
  zoom(root.zoom);
  drawTools(root, data, zoom);
  // Keep the scroll position, but scroll to the right end when the number of levels has changed.
  if (scroll) [pane.scrollLeft, pane.scrollTop] = scroll;
  if (grown) pane.scrollLeft = pane.scrollWidth;
  if (!scroll) {
    const first = at.get(0);
    pane.scrollTop = first.y * root.zoom - pane.clientHeight / 2;
  }
  const act = (target) => {
    const node = target.closest("[data-node]");
    const stub = target.closest("[data-fold]");
    if (stub) root.send("fold", { turn: data.turn, node: Number(stub.dataset.fold) });
    else if (node) root.send("open", { turn: data.turn, node: Number(node.dataset.node) });
  };
  pane.onclick = (event) => !pane.classList.contains("held") && act(event.target);
  pane.onkeydown = (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      act(event.target);
    }
  };
  listenForDrag(pane);
  listenForHover(root, pane, at);
}
