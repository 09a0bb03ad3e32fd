// Stage of the step page: the text, the buttons, the ruler of the draw and the bars in one component, so that the text
// and the distribution that are shown always belong together. `data` is described in stage.py.

const NEVER_LARGE = 120; // tokens

export default function (component) {
  const root = rootOf(component);
  queue(component, root);
  listenForKeys(root);
  root.parent = component.parentElement;
  if (root.data === undefined) build(root);
  if (isNews(root, component.data, "made")) show(root, component.data);
}

function show(root, data) {
  const first = root.data === undefined;
  const stepped = !first && root.turn !== data.turn;
  const moved = stepped && root.cursor !== data.cursor;
  for (const motion of root.getAnimations({ subtree: true })) motion.cancel();
  const before = stepped ? positions(root) : null;
  if (moved) announce(root.parent, data);
  root.hideDetails();
  keepPlace(root, () => drawAll(root, data, moved));
  onResize(root, () => keepPlace(root, () => drawAll(root, data, false)));
  root.data = data;
  root.turn = data.turn;
  root.cursor = data.cursor;
  root.place = data.line.indexOf(data.cursor);
  root.next = data.rows.find(({ state }) => state === "pick")?.id;
  if (before) animate(root, data, before);
  clearTimeout(root.timer);
  if (data.running) later(root, "tick", data.pace);
  else if (data.view.arriving && !reducedMotion()) later(root, "arrive", data.view.arriving);
}

// Asks for the next token after some milliseconds, unless something is drawn before.
function later(root, kind, wait) {
  root.timer = setTimeout(() => root.isConnected && root.move(kind, { turn: root.turn }), wait);
}

function build(root) {
  const bars = el("div", "bars");
  for (const part of ["text", "controls", "ruler"]) root.append(el("div", part));
  root.append(bars, el("p", "note legend"), el("p", "note settings"));
  for (const part of ["text", "controls", "bars", "ruler"]) root.querySelector(`.${part}`).setAttribute("part", part);
  listenForDetails(root, bars);
  root.addEventListener("click", (event) => {
    const token = event.target.closest("[data-node]");
    if (token) root.move("go", { turn: root.turn, node: Number(token.dataset.node) });
  });
}

function drawAll(root, data, moved) {
  root.classList.toggle("presented", presenting());
  root.classList.toggle("simple", data.view.simple || presenting());
  root.classList.toggle("ended", data.ended);
  drawText(root, root.querySelector(".text"), data, moved);
  drawControls(root, root.querySelector(".controls"), data);
  drawRuler(root.querySelector(".ruler"), data.ruler, data);
  const bars = root.querySelector(".bars");
  bars.setAttribute("aria-label", data.labels.bars);
  bars.setAttribute("role", "group");
  drawBars(root, bars, data);
  root.querySelector(".legend").textContent = data.labels.legend;
  root.querySelector(".settings").textContent = data.settings;
  if (root.matches(".simple")) withoutMarks(root);
  fitText(root, root.querySelector(".strip"), data);
}

// The text in large type if it has room, which is not tried where it cannot, else its end; its arcs. In presentation mode
// the room is what the other parts leave.
function fitText(root, strip, data) {
  if (data.line.length < NEVER_LARGE) {
    strip.classList.add("large");
    const lines = new Set([...strip.querySelectorAll(".t")].map((token) => token.offsetTop)).size;
    if (strip.scrollHeight > strip.clientHeight || (lines > 1 && !root.matches(".simple"))) strip.classList.remove("large");
  }
  drawArcs(root, strip, data);
  const bottom = strip.getBoundingClientRect().top + strip.clientHeight;
  const ends = [...strip.querySelectorAll(".t[aria-current], .cur")].map((node) => node.getBoundingClientRect().bottom);
  if (ends.length) strip.scrollTop += Math.max(...ends) - bottom;
  strip.classList.toggle("continued", strip.scrollTop > 0);
}

// A sentence as it is read: without the marks of the spaces at the beginning of its tokens.
function withoutMarks(root) {
  for (const token of root.querySelectorAll(".strip .t, .row > .word")) {
    const space = token.matches(".word") ? "" : " ";
    if (token.textContent.length > 1) token.textContent = token.textContent.replace(/^␣/, space);
  }
}

function drawText(root, box, data, moved) {
  root.querySelector(".card")?.remove();
  box.replaceChildren();
  drawArcsButton(root, drawLoop(box, data, moved), data);
  const strip = drawStrip(box, data);
  drawBranches(box, data);
  box.append(el("p", "looks"));
  listenForRest(root, strip, data, (_, value) => root.move("pick", value));
}

// Stages of the generation loop, the current one highlighted.
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
  return loop;
}

function drawControls(root, box, data) {
  if (!box.firstChild) {
    for (const name of ["next", "run", "back", "restart"]) {
      // The second click of a double click on Restart does not undo the first.
      const press = ({ detail }) => (button.dataset.kind === "undo" && detail > 1) || root.move(button.dataset.kind);
      const button = makeButton(name === "next" ? "first" : "", "", press);
      button.dataset.keep = name;
      button.append(el("span"), el("kbd"));
      box.append(button);
    }
    box.append(el("p", "status"));
  }
  for (const button of box.querySelectorAll("button")) {
    const name = button.dataset.keep;
    button.dataset.kind = (name === "run" && data.running && "stop") || (name === "restart" && data.restarted && "undo") || name;
    button.firstChild.textContent = data.labels[button.dataset.kind];
    button.lastChild.textContent = { next: "→", run: data.labels.space, back: "←", restart: "" }[name];
    button.hidden = data.view.one && name !== "next";
    button.disabled = data.ended && (name === "next" || (name === "run" && !data.running));
  }
  box.querySelector(".status").textContent = data.status;
}
