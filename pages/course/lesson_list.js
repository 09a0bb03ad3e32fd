// List of the lessons with the progress in each; `data` is `list_data` of page.py. All text is set through textContent.

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

export default function (component) {
  const { data, setTriggerValue } = component;
  const root = rootOf(component);
  root.translate = true; // sentences alone
  const restored = syncProgress(data.kept);
  if (restored) setTriggerValue("remembered", { kept: restored });
  const list = el("ol");
  for (const lesson of data.lessons) list.append(card(lesson, data, (name) => setTriggerValue("open", { lesson: name })));
  root.replaceChildren();
  if (!data.next) root.append(el("p", "finished", data.labels.finished));
  root.append(list);
}
