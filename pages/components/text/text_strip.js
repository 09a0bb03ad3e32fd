// Text strip (the text as chips with its cursor, branches, the formula) or, with `data.show`, the formula or the tree of
// all branches alone. Text is set through textContent only. `data` is described in text_strip.py.

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
  if (moved && !data.show) announce(parentElement, data);
  keepPlace(root, () => drawAll(root, data, setTriggerValue));
}

function drawAll(root, data, setTriggerValue) {
  root.replaceChildren();
  if (data.show === "tree") return drawTree(root, data);
  if (data.show === "formula") return drawFormula(root, data);
  const strip = drawStrip(root, data);
  strip.classList.toggle("lines", data.show === "lines");
  const cursor = strip.querySelector(".cur");
  strip.scrollTop = cursor ? cursor.offsetTop - strip.offsetTop - strip.clientHeight + 60 : 0;
  if (data.show !== "lines") drawBranches(root, data);
  if (data.status) root.append(el("p", "status", data.status));
  if (data.show !== "lines") drawFormula(root, data);
  listenForRest(root, strip, data, setTriggerValue);
}
