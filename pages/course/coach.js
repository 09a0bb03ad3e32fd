// Lesson sheet; `data` is described in sheet_data.py. In a wide window the panel is a column. In a narrow one it opens
// above the foot, a line with the task and the button it needs. All text is set through textContent.

function drawHead(data, report) {
  const head = el("div", "head");
  head.append(el("span", "which", fill(data.labels.lesson, { number: data.number, of: data.of })), el("b", "title", data.title));
  const dots = el("span", "dots");
  data.steps.forEach((done, i) => {
    const asks = data.asks && i === data.steps.length - 1;
    const dot = makeButton(`dot${done ? " done" : ""}${i === data.step ? " at" : ""}`, done ? "✓" : asks ? "?" : i + 1, () => report("go", { step: i }));
    dot.title = asks ? data.labels.ask : fill(data.labels.step, { n: i + 1 });
    dot.setAttribute("aria-label", dot.title);
    dot.dataset.keep = `dot ${i}`;
    if (i === data.step) dot.setAttribute("aria-current", "step");
    dots.append(dot);
  });
  head.append(dots);
  return head;
}

// A tick for each part of the task that is done, a circle for each other; one tick for a task without parts.
function drawTick(data) {
  const [done, all] = data.parts;
  if (data.done || all < 2) return el("span", "tick", data.done ? "✓" : "○");
  const tick = el("span", "tick parts", "●".repeat(done) + "○".repeat(all - done));
  tick.setAttribute("role", "img");
  tick.setAttribute("aria-label", fill(data.labels.part, { done, of: all }));
  return tick;
}

function drawTask(data, report) {
  const task = el("div", `task${data.done ? " done" : ""}`);
  const line = el("p", "do");
  line.append(drawTick(data), el("b", "", data.done ? data.labels.done : data.labels.do), " ");
  task.append(write(line, data.do, data.values, data.terms));
  line.setAttribute("aria-live", "polite");
  if (data.compared) task.append(drawCompared(data));
  if (data.ledger) task.append(drawLedger(data));
  if (data.then) task.append(write(el("p", "then"), data.then, data.values, data.terms));
  task.append(drawMoves(data, report));
  return task;
}

function drawMoves(data, report) {
  const moves = el("div", "moves");
  if (!data.home) moves.append(makeButton("first", data.labels.home, () => report("go", { step: data.step })));
  moves.append(makeButton(data.done ? "first" : "plain", nextName(data), () => report("go", { step: data.step + 1 })));
  moves.append(makeButton("plain leave", data.labels.leave, () => report("leave", {})));
  for (const button of moves.children) button.dataset.keep = `move ${button.className}`;
  return moves;
}

// The question after the last step, in the place of the text and the task.
function drawAsked(data, report) {
  const box = el("div", `task${data.done ? " done" : ""}`);
  const ask = write(el("p", "ask"), data.question.ask, {}, data.terms);
  box.append(ask, drawQuestion(data.question, data.labels, (index) => report("answer", { index }), data.terms));
  if (data.question.later && !data.question.right) box.append(el("p", "later", data.labels.later));
  box.append(drawMoves(data, report));
  return box;
}

function nextName(data) {
  if (data.step < data.steps.length - 1) return data.done ? data.labels.on : data.labels.skip;
  return data.next;
}

// The line at the foot of a narrow window: the task, which opens and closes the panel, and one button.
function drawFoot(root, data) {
  const foot = el("div", `foot${data.done ? " done" : ""}`);
  const more = makeButton("more", "", () => unfold(root, !root.open));
  more.dataset.keep = "more";
  more.setAttribute("aria-controls", "panel");
  const told = el("span", "told");
  if (data.compared) write(told, `${data.compared.sentence} `, data.compared.values);
  write(told, (data.done && (data.question?.says || data.then)) || data.do, data.values);
  told.setAttribute("aria-live", "polite");
  if (!data.done) more.append(drawTick(data));
  if (data.guess && !data.guess.made) more.append(el("span", "before", data.labels.guess));
  more.append(told, el("span", "arrow"));
  const act = makeButton("first act", "", () => root.act());
  act.dataset.keep = "act";
  act.append(el("span"));
  foot.append(more, act);
  return foot;
}

// Keeps the foot's button the same as the page's button that it presses: its name changes, and it may be disabled.
function followButton(root, data, report) {
  const act = root.querySelector(".act");
  const name = (text, disabled = false) => {
    if (act.firstChild.textContent !== text) act.firstChild.textContent = text;
    act.disabled = disabled;
  };
  const on = data.step + 1;
  clearInterval(root.following);
  if (!data.home) root.act = () => report("go", { step: data.step });
  else if (data.done) root.act = () => report("go", { step: on });
  else if (data.question) root.act = () => unfold(root, true);
  else if (data.press) root.act = () => (unfold(root, false), matches(data.press)[0]?.click());
  else root.act = () => (unfold(root, false), showPlace(root, () => pointAt(data.see[0])));
  if (data.done && data.home) act.title = nextName(data);
  const follow = () => {
    if (!root.isConnected) return clearInterval(root.following);
    const button = data.press && matches(data.press)[0];
    const pressed = button && (button.ariaLabel || (button.querySelector("p") ?? button.querySelector("span") ?? button).textContent.trim());
    if (!data.home) name(data.labels.home);
    else if (data.done) name(`${data.question && !data.question.right ? "" : "✓ "}${data.labels.on}`);
    else if (data.question) name(data.labels.choose);
    else if (data.press) name(pressed || "…", !button || button.disabled === true);
    else name(data.labels.show);
  };
  follow();
  if (data.press && data.home && !data.done) root.following = setInterval(follow, 100);
}

const showPlace = (root, arrived = () => {}) => bringIntoSight(root, () => root.querySelector(".sheet"), () => root.data, arrived);

// A short movement of the outline of what is highlighted.
function pointAt(selector) {
  if (reducedMotion()) return;
  matches(selector)[0]?.animate({ outlineOffset: ["1px", "9px", "1px"] }, { duration: 450, iterations: 2 });
}

function unfold(root, open) {
  root.open = open;
  root.querySelector(".sheet").classList.toggle("open", open);
  root.querySelector(".more").setAttribute("aria-expanded", String(open));
  root.querySelector(".more").title = root.data.labels[open ? "fold" : "unfold"];
}

// Opens the panel where it leaves all of what the step speaks of in sight.
function unfoldBeside(root) {
  const top = root.querySelector(".panel").getBoundingClientRect().top;
  const seen = root.data.see.flatMap((selector) => matches(selector).slice(0, 1)).map((node) => node.getBoundingClientRect());
  unfold(root, seen.length > 0 && seen.every((box) => box.top >= 0 && box.bottom <= top));
}

function listenForEscape(root) {
  if (root.listens) return;
  root.listens = true;
  const pressed = (event) => {
    if (!root.isConnected) return document.removeEventListener("keydown", pressed);
    if (event.key !== "Escape" || !root.open || WIDE.matches || document.querySelector("[role=dialog]")) return;
    if (root.querySelector(".panel").contains(root.getRootNode().activeElement)) root.querySelector(".more").focus();
    unfold(root, false);
  };
  document.addEventListener("keydown", pressed);
}

export default function (component) {
  const { data, setStateValue, setTriggerValue } = component;
  const root = rootOf(component);
  root.translate = true; // all but the values in its sentences
  syncProgress(data.kept);
  hideTerm();
  const report = (name, value) => setTriggerValue(name, { turn: data.turn, ...value });
  root.guess = (text) => setStateValue("guess", { turn: data.turn, text }); // a state: it is not lost to the next event
  const began = root.data?.turn !== data.turn;
  const completed = !began && data.done && !root.data.done;
  const scroll = began || completed ? 0 : root.querySelector(".panel").scrollTop;
  root.data = data;
  const sheet = el("section", "sheet");
  sheet.setAttribute("aria-label", data.title);
  const panel = el("div", "panel");
  panel.id = "panel";
  const body = el("div", "body");
  const text = el("div", "text");
  for (const paragraph of data.text.trim().split(/\n\s*\n/)) text.append(write(el("p"), paragraph.replace(/\n/g, ""), data.values, data.terms));
  root.openTerm = (name) => report("term", { name });
  if (data.question) body.append(drawAsked(data, report));
  else body.append(text, ...(data.guess ? [drawGuess(root, data)] : []), drawTask(data, report));
  panel.append(drawHead(data, report), body);
  sheet.append(panel, drawFoot(root, data));
  keepPlace(root, () => root.replaceChildren(sheet));
  panel.scrollTop = scroll;
  // A question is read in the panel, which stays open once it is answered.
  unfold(root, data.question ? began || root.open === true : !began && !completed && root.open === true);
  followButton(root, data, report);
  listenForEscape(root);
  if (data.question) root.arranged = true;
  else if (began || completed) {
    root.arranged = false; // whether it has scrolled, and the panel is open or closed as it should be
    showPlace(root, () => (unfoldBeside(root), (root.arranged = true)));
  }
}
