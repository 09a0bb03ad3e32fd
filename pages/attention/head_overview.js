// All attention heads as small maps. All text is set through textContent. `data` is described in head_overview.py.

const LEFT = 42;

// One canvas per head, cached until the maps or the theme change.
function pictures(root, data) {
  const made = [data.maps, data.dark].join();
  if (root.made !== made) {
    root.made = made;
    const maps = bytes(data.maps);
    const pairs = before(data.side);
    root.pictures = Array.from({ length: data.layers * data.heads }, (_, i) => half(root, data.side, (at) => maps[i * pairs + at] / 255));
  }
  return root.pictures;
}

function paintAll(canvas, root, data, opened) {
  const room = root.clientWidth - LEFT - 4;
  const gap = data.heads > 8 ? 3 : 6;
  const size = Math.max(16, Math.min(76, Math.floor(room / data.heads) - gap));
  const step = size + gap;
  const width = LEFT + data.heads * step;
  const height = 18 + data.layers * step;
  const ratio = (window.devicePixelRatio || 1) * scaleOf(root);
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const [soft, line, pick] = ["soft", "line", "pick"].map((name) => color(root, name));
  const small = pictures(root, data);
  // Also called by svg_drawing.js, with a context that records shapes.
  canvas.paint = (paint) => {
    paint.imageSmoothingEnabled = false;
    paint.font = "12px sans-serif";
    paint.fillStyle = soft;
    paint.textAlign = "center";
    for (let head = 0; head < data.heads; head++) paint.fillText(head + 1, LEFT + head * step + size / 2, 12);
    paint.textAlign = "right";
    for (let layer = 0; layer < data.layers; layer++) {
      const y = 18 + layer * step;
      paint.fillText(layer + 1, LEFT - 8, y + size / 2 + 4);
      for (let head = 0; head < data.heads; head++) {
        const x = LEFT + head * step;
        paint.drawImage(small[layer * data.heads + head], x, y, size, size);
        const open = opened?.layer === layer && (opened.head ?? head) === head;
        paint.strokeStyle = open ? pick : line;
        paint.lineWidth = open ? 3 : 1;
        paint.strokeRect(x - 0.5, y - 0.5, size + 1, size + 1);
      }
    }
  };
  const paint = canvas.getContext("2d");
  paint.scale(ratio, ratio);
  canvas.paint(paint);
  return step;
}

function prepare(root) {
  const pane = el("div", "pane");
  const canvas = el("canvas");
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application"); // so that screen readers pass on the arrow keys
  const told = el("div", "told");
  told.setAttribute("aria-live", "polite");
  pane.append(canvas);
  root.replaceChildren(el("h3", "title"), told, pane, el("p", "legend"), el("div", "table"));
  return canvas;
}

export default function (component) {
  const { data } = component;
  const root = rootOf(component);
  const canvas = root.querySelector("canvas") ?? prepare(root);
  root.querySelector(".title").textContent = data.labels.title;
  root.querySelector(".legend").textContent = data.labels.legend;
  const told = root.querySelector(".told");
  let opened = heard(data, root, data.opened);
  let step = paintAll(canvas, root, data, opened);
  const tell = (at) => {
    told.replaceChildren();
    if (at?.head === null) told.append(el("b", "", fill(data.labels.layer, { layer: at.layer + 1 })));
    else if (at) {
      const name = fill(data.labels.name, { layer: at.layer + 1, head: at.head + 1 });
      told.append(el("b", "", name), ` ${data.told[at.layer][at.head]}`);
    }
    canvas.setAttribute("aria-label", `${data.labels.title}. ${told.textContent}`);
  };
  const find = (event) => {
    const box = canvas.getBoundingClientRect();
    const scale = scaleOf(canvas);
    const head = Math.floor(((event.clientX - box.left) / scale - LEFT) / step);
    const layer = Math.floor(((event.clientY - box.top) / scale - 18) / step);
    return head >= 0 && head < data.heads && layer >= 0 && layer < data.layers ? { layer, head } : null;
  };
  onResize(root, () => (step = paintAll(canvas, root, data, opened)));
  tell(opened);
  if (root.revealed !== undefined && root.revealed !== data.revealed) root.scrollIntoView({ block: "center", behavior: "smooth" });
  root.revealed = data.revealed;
  canvas.onpointermove = (event) => tell(find(event) ?? opened);
  canvas.onpointerleave = () => tell(opened);
  const open = (at) => {
    if (!at) return;
    opened = opened?.head === null ? { layer: at.layer, head: null } : at;
    step = paintAll(canvas, root, data, opened);
    tell(opened);
    ask(component, root, "open", opened);
  };
  canvas.onclick = (event) => open(find(event));
  const names = data.told.flatMap((heads, layer) => heads.map((what, head) => ({ layer, head, what, scores: data.scores[layer][head] })));
  const rows = () => names.map(({ layer, head, what, scores }) => {
    const name = fill(data.labels.name, { layer: layer + 1, head: head + 1 }).replace(/[:：]$/, "");
    const shares = scores.slice(0, -1).map((share) => (share === null ? "–" : percent(data, share)));
    return [[name, () => open({ layer, head })], ...shares, scores.at(-1).toFixed(1), what];
  });
  keepPlace(root, () => root.querySelector(".table").replaceChildren(asTable(root, "heads", data.labels.table, data.labels.columns, rows)));
  canvas.onkeydown = (event) => {
    const move = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    const { layer, head } = { layer: 0, ...opened, head: opened?.head ?? 0 };
    open({
      layer: Math.max(0, Math.min(data.layers - 1, layer + move[0])),
      head: Math.max(0, Math.min(data.heads - 1, head + move[1])),
    });
  };
}
