// Lesson sheet at the bottom of the page; `data` is `_sheet_data` of coach.py. All text is set through textContent.

// Appends a text to an element: **bold** parts, and {placeholders} replaced by their values.
function write(parent, sentence, values) {
  for (const part of sentence.split(/(\*\*[^*]+\*\*|\{\w+\})/)) {
    if (part.startsWith("**")) parent.append(el("b", "", part.slice(2, -2)));
    else if (/^\{\w+\}$/.test(part)) {
      const value = el("span", "value", values[part.slice(1, -1)] ?? "…");
      value.translate = false;
      parent.append(value);
    }
    else parent.append(part);
  }
  return parent;
}

function drawHead(data, report) {
  const head = el("div", "head");
  head.append(el("span", "which", fill(data.labels.lesson, { number: data.number, of: data.of })), el("b", "title", data.title));
  const dots = el("span", "dots");
  data.steps.forEach((done, i) => {
    const dot = makeButton(`dot${done ? " done" : ""}${i === data.step ? " at" : ""}`, done ? "✓" : i + 1, () => report("go", { step: i }));
    dot.title = fill(data.labels.step, { n: i + 1 });
    dot.setAttribute("aria-label", dot.title);
    if (i === data.step) dot.setAttribute("aria-current", "step");
    dots.append(dot);
  });
  const small = makeButton("plain", data.small ? data.labels.unfold : data.labels.fold, () => report("fold", { small: !data.small }));
  small.setAttribute("aria-expanded", String(!data.small));
  head.append(dots, small, makeButton("plain", data.labels.leave, () => report("leave", {})));
  return head;
}

function drawTask(data, report) {
  const task = el("div", `task${data.done ? " done" : ""}`);
  const line = el("p", "do");
  line.append(el("span", "tick", data.done ? "✓" : "○"), el("b", "", data.done ? data.labels.done : data.labels.do), " ");
  task.append(write(line, data.do, data.values));
  line.setAttribute("aria-live", "polite");
  if (data.then) task.append(write(el("p", "then"), data.then, data.values));
  const last = data.step === data.steps.length - 1;
  const name = last ? (data.next ? fill(data.labels.next, { title: data.next }) : data.labels.last) : data.done ? data.labels.on : data.labels.skip;
  const moves = el("div", "moves");
  if (!data.home) moves.append(makeButton("first", data.labels.home, () => report("go", { step: data.step })));
  moves.append(makeButton(data.done ? "first" : "plain", name, () => report("go", { step: data.step + 1 })));
  task.append(moves);
  return task;
}

// The first element that a selector matches, also for a `::part(…)` of a shadow root, which querySelector never finds.
function pointed(selector) {
  const [, host, part] = selector.match(/^(.*)::part\((\w+)\)$/) ?? [];
  if (!part) return document.querySelector(selector);
  return document.querySelector(host)?.shadowRoot?.querySelector(`[part=${part}]`);
}

// Scrolls the highlighted element into view, between the window's top and the sheet. `end`: its lower end.
function show(selector, sheet, end) {
  const target = pointed(selector);
  if (!target) return;
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  const { top, bottom } = target.getBoundingClientRect();
  const sheetTop = sheet.getBoundingClientRect().top;
  const foot = sheetTop > 0 ? sheetTop : innerHeight; // in a wide window the sheet is beside the page
  // The buttons above it in the same component belong into the window too, where there is room for both.
  const buttons = target.getRootNode().querySelector("[part=controls]")?.getBoundingClientRect().top ?? top;
  const from = Math.min(bottom, top + 200) - buttons < foot - 40 ? Math.min(top, buttons) : top;
  if (from > 10 && (end ? bottom : Math.min(bottom, top + 150)) < foot) return;
  document.querySelector("[data-testid=stMain]").scrollBy({ top: end ? bottom - foot + 14 : from - 20, behavior });
}

export default function (component) {
  const { data, setTriggerValue } = component;
  const root = rootOf(component);
  root.translate = true; // all but the values in its sentences
  syncProgress(data.kept);
  const report = (name, value) => setTriggerValue(name, { turn: data.turn, ...value });
  const sheet = el("section", `sheet${data.small ? " small" : ""}`);
  sheet.setAttribute("aria-label", data.title);
  sheet.append(drawHead(data, report));
  if (!data.small) {
    const body = el("div", "body");
    const text = el("div", "text");
    for (const paragraph of data.text.trim().split(/\n\s*\n/)) text.append(write(el("p"), paragraph.replace(/\n/g, ""), data.values));
    body.append(text, drawTask(data, report));
    sheet.append(body);
  }
  const scroll = root.querySelector(".body")?.scrollTop ?? 0;
  const same = root.turn === data.turn;
  root.replaceChildren(sheet);
  if (same && !data.small) root.querySelector(".body").scrollTop = scroll;
  if (!same && !data.small) setTimeout(() => show(data.point, sheet, data.end), 500);
  root.turn = data.turn;
}
