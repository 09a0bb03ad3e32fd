// List of the lessons by part with the progress in each; `data` is `list_data` of page.py. All text is set through
// textContent.

function card(lesson, data, open) {
  const done = lesson.done >= lesson.steps;
  const next = lesson.name === data.next;
  const node = el("li", `lesson${done ? " done" : ""}${next ? " next" : ""}`);
  const words = el("div", "words");
  const title = el("h3", "", lesson.title);
  const meta = el("span", "meta", `${lesson.minutes} · ${done ? "✓ " : ""}${fill(data.labels.progress, { done: lesson.done, steps: lesson.steps })}`);
  words.append(title, el("p", "", lesson.lead), meta);
  const button = el("button", next ? "first" : "", done ? data.labels.again : lesson.done ? data.labels.go_on : data.labels.begin);
  button.type = "button";
  button.setAttribute("aria-label", `${button.textContent}: ${lesson.title}`);
  button.onclick = () => open(lesson.name);
  node.append(words, button);
  return node;
}

function section(part, data, open, recap) {
  const node = el("section", "part");
  const head = el("div", "parthead");
  head.append(el("h2", "", part.title), el("span", "meta", part.minutes));
  const list = el("ol");
  for (const lesson of part.lessons) list.append(card(lesson, data, open));
  const button = makeButton("recap", data.labels.open_recap, () => recap(part.name));
  button.setAttribute("aria-label", `${data.labels.open_recap}: ${part.title}`);
  node.append(head, el("p", "partlead", part.lead), list, button);
  return node;
}

function shortCourse(taste, open) {
  const line = el("p", "taste");
  line.append(el("b", "", taste.label), " ");
  for (const lesson of taste.lessons) {
    const button = makeButton("short", lesson.title, () => open(lesson.name));
    line.append(button);
  }
  return line;
}

export default function (component) {
  const { data, setTriggerValue } = component;
  const root = rootOf(component);
  root.translate = true; // sentences alone
  const restored = syncProgress(data.kept);
  if (restored) setTriggerValue("remembered", { kept: restored });
  const open = (name) => setTriggerValue("open", { lesson: name });
  root.replaceChildren(data.next ? shortCourse(data.taste, open) : el("p", "finished", data.labels.finished));
  for (const part of data.parts) root.append(section(part, data, open, (name) => setTriggerValue("recap", { part: name })));
}
