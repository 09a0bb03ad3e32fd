// The steps of a lockstep run. All text is set through textContent. `data` is described in step_strip.py.

export default function (component) {
  const { data } = component;
  const root = rootOf(component);
  const head = el("div", "head");
  head.append(el("b", "", data.name), el("span", "soft", data.note));
  const list = el("ol", "");
  list.setAttribute("aria-label", data.name);
  for (const [text, value, number] of data.steps) {
    const step = el("li");
    const room = el("span", "room");
    const bar = el("span", "bar");
    bar.style.height = `${(value ?? 0) * 100}%`;
    room.append(bar);
    step.append(room, el("span", "number", number), Object.assign(el("span", "text", text), { dir: "auto" }));
    list.append(step);
  }
  root.replaceChildren(head, list);
}
