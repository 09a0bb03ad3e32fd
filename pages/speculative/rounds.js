// Rounds of speculative decoding. All text is set through textContent. `data` is described in rounds.py.

export default function (component) {
  const { data } = component;
  const root = rootOf(component);
  if (root.turn !== data.turn) root.chosen = null;
  root.turn = data.turn;
  const legend = el("p", "legend");
  for (const [kind, name] of data.legend) legend.append(el("span", `mark ${kind}`, ""), el("span", "", name));
  const text = el("p", "written");
  text.append(el("span", "soft", `${data.text_name} `), el("span", "prompt", data.text[0]), el("b", "", data.text[1]));
  text.lastChild.dir = "auto";
  const note = el("p", "note");
  note.setAttribute("aria-live", "polite");
  const list = el("ol", "");
  list.setAttribute("aria-label", data.name);
  const show = (place) => {
    const [round, at] = (place ?? "").split(" ");
    note.textContent = data.rounds[round]?.[at]?.note ?? data.hint;
    for (const chip of list.querySelectorAll("button")) {
      chip.setAttribute("aria-pressed", String(chip.dataset.keep === place));
    }
  };
  data.rounds.forEach((chips, round) => {
    const item = el("li");
    item.append(el("span", "number", fill(data.round, { n: round + 1 })));
    chips.forEach(({ text, kind, note: told }, at) => {
      const place = `${round} ${at}`;
      const chip = makeButton(`chip ${kind}`, text, () => show((root.chosen = place)));
      chip.dataset.keep = place;
      chip.dir = "auto";
      chip.setAttribute("aria-label", told);
      // Not mouseenter: the page may move below a pointer that rests.
      chip.onmousemove = ({ movementX, movementY }) => (movementX || movementY) && show(place);
      chip.onmouseleave = () => show(root.chosen);
      chip.onfocus = () => show(place);
      item.append(chip);
    });
    list.append(item);
  });
  const focused = root.getRootNode().activeElement?.dataset.keep;
  root.replaceChildren(text, legend, note, list);
  if (focused) list.querySelector(`[data-keep="${focused}"]`)?.focus();
  show(root.chosen);
}
