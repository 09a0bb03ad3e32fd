// What the teacher has handed out, with a way to take it back; and a box for a list of prompts.

function handOuts({ data, setTriggerValue, root }) {
  const { labels } = data;
  const box = el("details", "handed");
  const title = el("summary", "", data.handed_count);
  title.dataset.keep = "handed";
  box.open = Boolean(root.handing);
  box.ontoggle = () => (root.handing = box.open);
  const list = el("ul");
  for (const [name, link] of data.handed) {
    const item = el("li");
    const text = el("span", "name", name);
    text.dir = "auto";
    const back = makeButton("remove", "×", () => setTriggerValue("take_back", { link }));
    back.setAttribute("aria-label", fill(labels.hand_take_back, { title: name }));
    back.title = back.getAttribute("aria-label");
    back.dataset.keep = `take back ${link}`;
    item.append(text, back);
    list.append(item);
  }
  const area = el("textarea", "prompts list");
  area.rows = 3;
  area.dataset.keep = "prompts";
  area.setAttribute("aria-label", labels.hand_box);
  area.placeholder = labels.hand_box;
  const send = makeButton("send", labels.hand_send, () => {
    if (!area.value.trim()) return area.focus();
    root.sent = true;
    setTriggerValue("hand", { text: area.value.toWellFormed() });
  });
  send.dataset.keep = "hand";
  box.append(title, el("p", "soft", labels.hand_note), list, area, send);
  return box;
}
