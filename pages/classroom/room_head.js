// Head of a teacher's room: code and QR code, large for a projector until something is asked; members; what ends it.
// All text through textContent. `data`: see room_head.py.

function code({ data, root }) {
  const large = root.large ?? data.lobby;
  const box = el("div", large ? "code large" : "code");
  if (data.qr) {
    const image = el("img", "qr");
    image.src = data.qr;
    image.alt = "";
    box.append(image);
  }
  const words = el("div", "words");
  words.append(el("p", "soft", data.labels.code));
  const letters = el("p", "letters", data.code);
  letters.setAttribute("aria-label", [...data.code].join(" "));
  letters.setAttribute("role", "img");
  words.append(el("p", "address", data.address), letters);
  if (data.notice) words.append(el("p", data.qr ? "soft" : "problem", data.notice));
  data.how.forEach((line) => words.append(el("p", "soft", line)));
  box.append(words);
  return box;
}

function members({ data, setTriggerValue, root }) {
  const box = el("details", "members");
  const title = el("summary", "", data.count);
  title.dataset.keep = "members";
  box.open = root.opened ?? data.lobby;
  title.onclick = () => (root.opened = !box.open);
  const list = el("ul");
  for (const [number, name, answered] of data.members) {
    const item = el("li", answered ? "answered" : "");
    const text = el("span", "name", name);
    text.dir = "auto";
    const sign = el("span", "sign", answered ? "✓" : "");
    if (answered) sign.setAttribute("aria-label", data.labels.answered);
    if (answered) sign.setAttribute("role", "img");
    const remove = twice("remove", "×", data.labels.remove_sure, () => setTriggerValue("remove", { member: number }));
    remove.setAttribute("aria-label", fill(data.labels.remove, { name }));
    remove.title = remove.getAttribute("aria-label");
    remove.dataset.keep = `remove ${number}`;
    item.append(sign, text, remove);
    list.append(item);
  }
  box.append(title, data.members.length ? list : el("p", "soft", data.labels.nobody));
  return box;
}

// Whether a text could be copied: without https by the old way.
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const box = el("textarea");
    box.value = text;
    document.body.append(box);
    box.select();
    const done = document.execCommand("copy");
    box.remove();
    return done;
  }
}

function secretLink({ data }) {
  const line = el("div", "line");
  const copy = makeButton("copy", data.labels.copy, async () => {
    if (await copied(data.secret)) copy.textContent = data.labels.copied;
    else {
      link.hidden = false; // to be copied by hand
      link.select();
    }
  });
  const link = el("input", "link");
  Object.assign(link, { readOnly: true, hidden: true, value: data.secret });
  link.setAttribute("aria-label", data.labels.secret);
  line.append(copy, link);
  return [el("h3", "", data.labels.secret), el("p", "soft", data.labels.secret_note), line];
}

function wordList({ data, setTriggerValue }) {
  const area = el("textarea", "words list");
  area.value = data.words;
  area.rows = 2;
  area.dataset.keep = "list";
  area.setAttribute("aria-label", data.labels.words);
  const save = makeButton("save", data.labels.save, () => setTriggerValue("words", { text: area.value.toWellFormed() }));
  return [el("h3", "", data.labels.words), el("p", "soft", data.labels.words_note), area, save];
}

function more(component) {
  const { data, setTriggerValue, root } = component;
  const box = el("details", "more");
  const title = el("summary", "", data.labels.more);
  title.dataset.keep = "more";
  box.open = Boolean(root.more);
  box.ontoggle = () => (root.more = box.open);
  const lock = makeButton("lock", data.joinable ? data.labels.lock : data.labels.unlock, () =>
    setTriggerValue("joinable", { joinable: !data.joinable }));
  lock.dataset.keep = "lock";
  const close = twice("close", data.labels.close, data.labels.really, () => setTriggerValue("close", {}));
  close.dataset.keep = "close";
  const buttons = el("div", "actions");
  buttons.append(lock, close);
  box.append(title, buttons, ...wordList(component), ...secretLink(component));
  return box;
}

export default function (component) {
  const root = rootOf(component);
  const { data } = component;
  kept(data.keep);
  const parts = { ...component, root };
  const typed = root.querySelector(".words.list")?.value;
  const prompts = root.querySelector(".prompts")?.value;
  const before = root.words;
  const draw = () => {
    const size = makeButton("size", (root.large ?? data.lobby) ? data.labels.small : data.labels.large, () => {
      root.large = !(root.large ?? component.data.lobby);
      root.shown = undefined;
      root.redraw();
    });
    size.dataset.keep = "size";
    const side = el("div", "side");
    side.append(members(parts), handOuts(parts), more(parts));
    const whole = el("div", "head");
    whole.append(code(parts), side);
    if (!data.joinable) side.prepend(el("p", "soft", data.labels.locked));
    side.prepend(size);
    return [whole];
  };
  root.redraw = () => {
    if (!drawnAnew(component, root, { room: 0 }, draw)) return;
    if (typed !== undefined && before === data.words) root.querySelector(".words.list").value = typed;
    if (prompts && !root.sent) root.querySelector(".prompts").value = prompts;
    root.sent = false;
    root.words = data.words;
  };
  root.redraw();
  watchRoom(component, root);
}
