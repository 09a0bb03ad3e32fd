// Text as token chips, with the details of the hovered or opened one. All text is set through textContent.
// `data` is described in token_details.py.

function drawCard(data, index) {
  const card = el("div", "card");
  if (index === null) {
    card.append(el("p", "soft", data.labels.hint));
    return card;
  }
  const [id, bytes, parts, typed] = data.cards[index];
  const line = (name, ...values) => {
    const row = el("p");
    row.append(el("span", "soft", name), ...values);
    card.append(row);
  };
  line(data.labels.id, el("b", "", `#${id}`));
  if (!parts.length) {
    card.append(el("p", "soft", typed ? fill(data.labels.unknown, { text: typed }) : data.labels.mark));
    return card;
  }
  line(data.labels.bytes, el("span", "hex", bytes));
  card.append(el("span", "line"));
  for (const [char, point, first, last, size] of parts) {
    const word = char === null ? data.labels.stray : first === 1 && last === size ? data.labels.whole : data.labels.part;
    const from = first === last ? first : `${first}–${last}`;
    const told = el("p", word === data.labels.whole ? "of" : "of alone");
    if (char !== null) {
      const sign = el("b", "", char);
      sign.dir = "auto";
      told.append(sign, el("span", "point", point));
    }
    told.append(el("span", "soft", fill(word, { part: from, size })));
    card.append(told);
  }
  return card;
}

export default function (component) {
  const { data, setTriggerValue } = component;
  const root = rootOf(component);
  const counts = el("div", "counts");
  for (const [name, value] of data.counts) {
    const count = el("span", "", ` ${name}`);
    count.prepend(el("b", "", value));
    counts.append(count);
  }
  const chips = drawGroups(data.groups, (index, label, shade) => {
    const chip = el("button", `t ${shade}`);
    chip.type = "button";
    chip.dataset.token = index;
    chip.dataset.keep = index;
    chip.dir = "auto";
    chip.append(el("span", "label", label), el("span", "id", data.cards[index][0]));
    chip.setAttribute("aria-pressed", String(index === data.opened));
    return chip;
  });
  chips.setAttribute("role", "toolbar");
  chips.setAttribute("aria-label", data.labels.text);
  roam(chips, "button", chips.querySelector('[aria-pressed="true"]'));
  const place = el("div", "place");
  place.setAttribute("aria-live", "polite");
  const show = (index) => place.replaceChildren(drawCard(data, index));
  chips.onclick = (event) => {
    const chip = event.target.closest("[data-token]");
    if (chip) setTriggerValue("open", { turn: data.turn, token: Number(chip.dataset.token) });
  };
  chips.onpointerover = (event) => {
    const chip = event.target.closest("[data-token]");
    if (chip && event.pointerType !== "touch") show(Number(chip.dataset.token));
  };
  chips.onpointerleave = () => show(data.opened);
  chips.addEventListener("focusin", (event) => event.target.matches(":focus-visible") && show(Number(event.target.dataset.token)));
  show(data.opened);
  const scroll = root.querySelector(".chips")?.scrollTop ?? 0;
  keepPlace(root, () => root.replaceChildren(counts, chips, place));
  chips.scrollTop = scroll;
}
