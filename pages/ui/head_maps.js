// Every head of every layer as a small map. All text goes in through textContent. `data` is described in head_maps.py.

const LEFT = 42;
const GAP = 6;

const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

const rgb = (root, name) => {
  const probe = el("i");
  probe.style.color = `var(--${name})`;
  root.append(probe);
  const found = getComputedStyle(probe).color.match(/[\d.]+/g).map(Number);
  probe.remove();
  return found;
};

// One small picture a head: the deeper, the more it was looked at (by the square root, so that little can be seen).
function picture(data, maps, index, paper, ink) {
  const { side } = data;
  const small = document.createElement("canvas");
  small.width = small.height = side;
  const image = new ImageData(side, side);
  for (let i = 0; i < side * side; i++) {
    const share = Math.sqrt(maps[index * side * side + i] / 255);
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = paper[c] + (ink[c] - paper[c]) * share;
    image.data[4 * i + 3] = i % side > Math.floor(i / side) ? 0 : 255; // nothing looks ahead
  }
  small.getContext("2d").putImageData(image, 0, 0);
  return small;
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".root");
  root.className = `root ${data.dark ? "dark" : ""}`;
  const pane = el("div", "pane");
  const canvas = el("canvas");
  const told = el("div", "told");
  pane.append(canvas);
  root.replaceChildren(pane, told);
  const room = root.clientWidth - LEFT - 4;
  const size = Math.max(26, Math.min(76, Math.floor(room / data.heads) - GAP));
  const step = size + GAP;
  const width = LEFT + data.heads * step;
  const height = 18 + data.layers * step;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  const paint = canvas.getContext("2d");
  paint.scale(ratio, ratio);
  paint.imageSmoothingEnabled = false;
  const [paper, ink, soft, line, pick] = ["paper", "attention", "soft", "line", "pick"].map((name) => rgb(root, name));
  const css = (color) => `rgb(${color.slice(0, 3).join(" ")})`;
  const maps = bytes(data.maps);
  paint.font = "12px sans-serif";
  paint.fillStyle = css(soft);
  paint.textAlign = "center";
  for (let head = 0; head < data.heads; head++) paint.fillText(head + 1, LEFT + head * step + size / 2, 12);
  paint.textAlign = "right";
  for (let layer = 0; layer < data.layers; layer++) {
    const y = 18 + layer * step;
    paint.fillText(layer + 1, LEFT - 8, y + size / 2 + 4);
    for (let head = 0; head < data.heads; head++) {
      const x = LEFT + head * step;
      paint.drawImage(picture(data, maps, layer * data.heads + head, paper, ink), x, y, size, size);
      const open = data.opened && data.opened[0] === layer && data.opened[1] === head;
      paint.strokeStyle = css(open ? pick : line);
      paint.lineWidth = open ? 3 : 1;
      paint.strokeRect(x - 0.5, y - 0.5, size + 1, size + 1);
    }
  }
  const name = (layer, head) => data.labels.name.replace("{layer}", layer + 1).replace("{head}", head + 1);
  const tell = (at) => {
    told.replaceChildren();
    if (at) told.append(el("b", "", name(...at)), ` ${data.told[at[0]][at[1]]}`);
  };
  const find = (event) => {
    const box = canvas.getBoundingClientRect();
    const head = Math.floor((event.clientX - box.left - LEFT) / step);
    const layer = Math.floor((event.clientY - box.top - 18) / step);
    return head >= 0 && head < data.heads && layer >= 0 && layer < data.layers ? [layer, head] : null;
  };
  tell(data.opened);
  canvas.setAttribute("aria-label", told.textContent);
  canvas.onpointermove = (event) => tell(find(event) ?? data.opened);
  canvas.onpointerleave = () => tell(data.opened);
  const open = (at) => at && setTriggerValue("open", { turn: data.turn, layer: at[0], head: at[1] });
  canvas.onclick = (event) => open(find(event));
  canvas.onkeydown = (event) => {
    const move = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    const [layer, head] = data.opened ?? [0, 0];
    open([Math.max(0, Math.min(data.layers - 1, layer + move[0])), Math.max(0, Math.min(data.heads - 1, head + move[1]))]);
  };
}
