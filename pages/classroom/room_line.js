// The line of a classroom on all other pages. All text through textContent. `data`: see room_line.py.

function line(data, report) {
  const { labels } = data;
  const box = el("div", "line");
  box.append(el("span", "who", data.who));
  const toggle = (name, text, event) => {
    const button = makeButton(name, text, () => report(event, { on: !data.on }));
    button.dataset.keep = name;
    box.append(button);
    return button;
  };
  if (data.role === "teacher") {
    toggle("lead", labels.lead, "lead").setAttribute("aria-pressed", String(data.on));
    const hand = makeButton("hand", labels.hand, () => {
      hand.disabled = true;
      report("hand", {});
    });
    hand.dataset.keep = "hand";
    const told = el("span", "told", data.handed);
    told.setAttribute("role", "status");
    box.append(hand, told, makeButton("room", labels.back, () => report("room", {})));
    return box;
  }
  if (data.leads) toggle("along", data.on ? labels.alone : labels.along, "along");
  for (const [title, link] of data.handed) {
    const open = makeButton("open", fill(labels.new, { title }), () => report("open", { link }));
    open.dir = "auto";
    box.append(open);
  }
  box.append(makeButton(data.asked ? "room asked" : "room", data.asked || labels.to_room, () => report("room", {})));
  return box;
}

export default function (component) {
  const root = rootOf(component);
  const { data, setTriggerValue } = component;
  if (!data.role) {
    if (data.told) kept(null);
    const mine = kept();
    root.replaceChildren();
    root.shown = undefined;
    if (data.told) {
      const box = el("div", "line");
      box.setAttribute("role", "status");
      box.append(el("span", "who", data.told), makeButton("ok", data.ok, () => setTriggerValue("told", {})));
      root.append(box);
    }
    if (mine?.key && !root.returned) {
      root.returned = true;
      setTriggerValue("back", mine);
    }
    return;
  }
  const shown = JSON.stringify({ ...data, room: 0 });
  if (root.shown !== shown) {
    root.shown = shown;
    keepPlace(root, () => root.replaceChildren(line(data, setTriggerValue)));
  }
  watchRoom(component, root);
}
