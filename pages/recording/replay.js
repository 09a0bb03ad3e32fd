// Player of a recording. The app's components (PARTS, see html_page.py) draw the text, the attention and the
// beam search; their events move the player. All text is set through textContent. The data is described in replay.py.

const STEP_MILLISECONDS = 900; // per step during playback
const recording = JSON.parse(document.getElementById("recording").textContent);
const { nodes, facts, words } = recording;
const night = matchMedia("(prefers-color-scheme: dark)");
const latest = new Map(Object.entries(recording.latest).map(([at, child]) => [Number(at), child]));
let cursor = recording.first;
let playing;

// A component of the app in a shadow root, which isolates its style. Returns the function that draws it.
function mount(name, home, heard) {
  const shadow = home.attachShadow({ mode: "open" });
  shadow.append(el("div", "root"));
  return (data) => PARTS[name]({ data: { ...data, dark: night.matches }, parentElement: shadow, setTriggerValue: heard });
}

function pathTo(node) {
  const path = [];
  for (let at = node; at >= 0; at = nodes[at][0]) path.unshift(at);
  return path;
}

// The nodes up to the cursor, then its latest descendants.
function currentLine() {
  const line = pathTo(cursor);
  for (let next = latest.get(cursor); next !== undefined; next = latest.get(next)) line.push(next);
  return line;
}

function go(node) {
  cursor = pathTo(recording.first).includes(node) ? recording.first : node;
  const path = pathTo(cursor);
  path.slice(1).forEach((child, i) => latest.set(path[i], child));
  render();
}

// Groups of the line's tokens that form one character, one for every other token: [from, to, text].
function groupsOf(line) {
  const many = recording.groups[line.at(-1)] ?? [];
  const groups = [];
  for (let at = 0; at < line.length; ) {
    const group = many.find(([from]) => from === at) ?? [at, at + 1, nodes[line[at]][1]];
    groups.push(group);
    at = group[1];
  }
  return groups;
}

function stripData(line, step) {
  const known = line.map((node) => facts[node]);
  const before = known.slice(1, line.indexOf(cursor) + 1).map(([logp]) => logp);
  const sum = before.reduce((total, logp) => total + logp, 0);
  const totals = { log_probability: sum, perplexity: before.length ? Math.exp(-sum / before.length) : 1 };
  return { nodes, line, cursor, groups: groupsOf(line), facts: known, totals, turn: cursor, status: step ? "" : words.end, choices: step?.choices ?? "–", labels: words.strip };
}

// Data of the component, see head_detail.py: row t of the matrix has t + 1 weights.
function headData(path) {
  const n = path.length;
  const matrix = new Uint16Array(before(n));
  path.forEach((node, row) => matrix.set(new Uint16Array(bytes(recording.rows[node]).buffer), before(row)));
  const sent = new Uint8Array(matrix.buffer);
  let text = "";
  for (let i = 0; i < sent.length; i += 32768) text += String.fromCharCode(...sent.subarray(i, i + 32768));
  return { text: cursor, tokens: path.map((node) => nodes[node][1]), chosen: { row: n - 1 }, matrix: btoa(text), labels: words.head, note: words.note };
}

function setSentence(into, sentence, token) {
  into.replaceChildren(...sentence.split(/(\{token\})/).map((piece) => (piece === "{token}" ? el("b", "", token) : piece)));
}

const page = document.getElementById("page");
const controls = el("div", "controls");
const button = (label, act, name) => {
  const node = el("button", name ?? "", label);
  node.type = "button";
  node.onclick = (event) => {
    act();
    if (event.detail) node.blur(); // a mouse click leaves no focus, so that the arrow keys and space keep working
  };
  controls.append(node);
  return node;
};
const back = button(`← ${words.previous}`, () => move(-1));
const play = button(words.play, () => toggle(), "play");
const on = button(`${words.next} →`, () => move(1));
const slide = el("input");
slide.type = "range";
slide.min = 0;
slide.oninput = () => stop() ?? goToStep(Number(slide.value));
const count = el("span", "count");
controls.append(slide, count);

const text = el("div");
const columns = el("div", "columns");
const [left, right] = [el("section"), el("section")];
const told = el("p", "told");
const [barsHome, lineHome, drawTold] = [el("div"), el("div"), el("p", "soft")];
left.append(el("h2", "", words.chosen_from), told, barsHome, lineHome, drawTold, el("p", "soft legend", words.legend));
columns.append(left);
const head = el("div", "facts soft");
for (const fact of [words.model, ...words.settings]) head.append(el("span", "", fact));
const footer = el("footer", "soft");
footer.append(el("span", "", words.keys), el("span", "", words.own));
page.append(el("h1", "", words.title), el("p", "soft", words.lead), head, controls, text, columns);

const drawStrip = mount("strip", text, (name, value) => {
  if (name === "go") go(value.node);
  const child = nodes.findIndex(([parent, , , , token]) => parent === value.after && token === value.token);
  if (name === "pick" && child >= 0) go(child);
});
let drawHead;
if (words.attention) {
  const home = el("div");
  right.append(el("h2", "", words.attention), home);
  columns.append(right);
  drawHead = mount("one_head", home, () => {});
}
if (nodes.some(([parent], i) => nodes.slice(i + 1).some(([other]) => other === parent))) {
  const tree = el("div", "wide");
  page.append(tree);
  const drawBranches = mount("strip", tree, (_, value) => go(value.node));
  render.tree = () => drawBranches({ ...stripData(currentLine(), null), show: "tree" });
}
if (recording.tree) {
  const [section, home, opened] = [el("div", "wide"), el("div"), el("p", "chain")];
  section.append(el("h2", "", words.beam), home, opened);
  page.append(section);
  const beams = new Map(recording.tree.nodes.map((node) => [node.id, node]));
  const drawBeams = mount("beam_tree", home, (name, value) => name === "open" && show(value.node));
  const show = (node) => {
    recording.tree.opened = node;
    const labels = [];
    for (let at = beams.get(node); at; at = beams.get(at.parent)) labels.unshift(at.label);
    opened.textContent = labels.join(" ");
    drawBeams(recording.tree);
  };
  render.beams = () => show(recording.tree.opened);
}
page.append(footer);

function render() {
  const line = currentLine();
  const at = line.indexOf(cursor);
  const entry = recording.steps[cursor]?.[String(line[at + 1] ?? "")];
  const step = entry ?? null;
  const over = at === line.length - 1 && entry === null;
  drawStrip(stripData(line, over ? null : step ?? {}));
  const width = Math.max(300, barsHome.clientWidth);
  barsHome.replaceChildren(...(step ? [drawBars(step, words.bar, width)] : []));
  lineHome.replaceChildren(...(step && step.u !== null ? [drawLine(step, width)] : []));
  drawTold.textContent = step?.draw ?? "";
  setSentence(told, step ? step.told : over ? words.end : words.left_out, step?.word);
  if (drawHead) {
    right.hidden = !pathTo(cursor).every((node) => recording.rows[node]);
    if (!right.hidden) drawHead(headData(pathTo(cursor)));
  }
  render.tree?.();
  const first = line.indexOf(recording.first);
  slide.max = line.length - 1 - first;
  slide.value = at - first;
  count.textContent = words.step.replace("{n}", at - first).replace("{all}", line.length - 1 - first);
  back.disabled = at <= first;
  on.disabled = at === line.length - 1;
  play.textContent = playing ? words.pause : words.play;
}

function goToStep(n) {
  const line = currentLine();
  const at = line.indexOf(recording.first) + n;
  cursor = line[Math.max(line.indexOf(recording.first), Math.min(line.length - 1, at))];
  render();
}

function move(by) {
  stop();
  goToStep(currentLine().indexOf(cursor) - currentLine().indexOf(recording.first) + by);
}

function stop() {
  clearInterval(playing);
  playing = undefined;
  play.textContent = words.play;
}

function toggle() {
  if (playing) return stop();
  if (currentLine().at(-1) === cursor) cursor = recording.first;
  playing = setInterval(() => {
    goToStep(currentLine().indexOf(cursor) - currentLine().indexOf(recording.first) + 1);
    if (currentLine().at(-1) === cursor) stop();
  }, STEP_MILLISECONDS);
  render();
}

addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
  const act = { ArrowRight: () => move(1), ArrowLeft: () => move(-1), Home: () => goToStep(0), End: () => goToStep(Infinity), " ": toggle }[event.key];
  if (!act || (event.key === " " && event.composedPath()[0].matches?.("button, summary"))) return;
  event.preventDefault();
  act();
});
addEventListener("resize", render);
const renderAll = () => {
  document.documentElement.classList.toggle("dark", night.matches);
  render();
  render.beams?.();
};
night.addEventListener("change", renderAll);
renderAll();
