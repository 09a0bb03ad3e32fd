// The door of the classroom: join a room by its code, or open one. All text through textContent. `data`: see door.py.

function field(name, value, hint, most) {
  const box = el("input", name);
  Object.assign(box, { type: "text", value, maxLength: most, autocomplete: "off", spellcheck: false });
  box.setAttribute("aria-describedby", `${name}_hint`);
  box.id = name;
  box.dataset.keep = name;
  const note = el("p", "note", hint);
  note.id = `${name}_hint`;
  return [box, note];
}

function form(title, box, note, button, act) {
  const whole = el("div", "form");
  const name = el("label", "", title);
  name.htmlFor = box.id;
  const line = el("div", "line");
  box.onkeydown = (event) => {
    if (isEnter(event) && !event.repeat) act(box.value.toWellFormed());
  };
  line.append(box, makeButton("primary", button, () => act(box.value.toWellFormed())));
  whole.append(name, line, note);
  return whole;
}

function students({ data, setTriggerValue }) {
  const { labels } = data;
  const part = el("section");
  part.append(el("h2", "", labels.students));
  if (data.asks_name) {
    const [box, note] = field("name", data.draft, labels.name_hint, 40);
    const room = el("p", "room", data.wanted);
    part.append(room, form(labels.name, box, note, labels.join, (name) => setTriggerValue("join", { name })));
    part.append(makeButton("another", labels.another, () => setTriggerValue("another", {})));
  } else {
    const [box, note] = field("code", data.wanted, labels.code_hint, 20);
    box.autocapitalize = "characters";
    part.append(form(labels.code, box, note, labels.enter, (text) => setTriggerValue("code", { text })));
  }
  return part;
}

function teachers({ data, setTriggerValue }) {
  const { labels } = data;
  const part = el("section");
  const named = el("input");
  Object.assign(named, { type: "checkbox", checked: true, id: "named" });
  const name = el("label", "check", labels.named);
  name.htmlFor = "named";
  const line = el("div", "line");
  line.append(named, name);
  const open = makeButton("open", labels.open, () => setTriggerValue("open", { named: named.checked }));
  part.append(el("h2", "", labels.teachers), el("p", "about", labels.about), line, open, el("p", "note", data.privacy));
  return part;
}

export default function (component) {
  const { data, setTriggerValue } = component;
  const root = rootOf(component);
  if (data.forget) kept(null);
  const mine = data.forget ? null : kept();
  if (mine?.key && !root.returned && (!data.wanted || data.wanted.toUpperCase() === mine.code)) {
    root.returned = true; // this browser was in the room: no form in the meantime
    setTriggerValue("back", mine);
    return;
  }
  drawnAnew(component, root, {}, () => {
    const told = el("p", "problem", data.problem || data.left);
    told.setAttribute("role", "alert");
    if (!data.allowed) return [el("p", "problem", data.off)];
    const parts = el("div", "parts");
    parts.append(students(component), ...(data.asks_name ? [] : [teachers(component)]));
    return [told, parts];
  });
  if (data.asks_name && root.asked !== data.wanted) root.querySelector("#name")?.focus({ preventScroll: true });
  root.asked = data.asks_name ? data.wanted : undefined;
}
