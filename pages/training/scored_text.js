// Text with tokens shaded by their loss under teacher forcing. All text is set through textContent.
// `data` is described in scored_text.py.

export default function (component) {
  const { data, setTriggerValue } = component;
  const root = rootOf(component);
  const numbers = el("div", "numbers");
  for (const [name, value, help] of data.numbers) {
    const one = el("span", "", `${name} `);
    one.append(el("b", "", value));
    one.title = help;
    numbers.append(one);
  }
  const chips = drawGroups(data.groups, (at, label) => {
    const [loss, read, told] = data.facts[at];
    const bits = (loss ?? 0) / Math.LN2;
    const chip = el("button", `t ${["", "s1", "s2"][surpriseLevel(-(loss ?? 0))]}`);
    chip.type = "button";
    chip.dir = "auto";
    chip.title = told;
    chip.dataset.position = chip.dataset.keep = at;
    chip.disabled = loss === null;
    chip.setAttribute("aria-pressed", String(at === data.opened));
    chip.style.backgroundColor = `color-mix(in srgb, var(--surprise) calc(${Math.min(1, bits / 16).toFixed(2)} * var(--deepest)), transparent)`;
    chip.append(el("span", "label", label), el("span", "loss", read || "–"));
    return chip;
  });
  chips.setAttribute("role", "toolbar");
  chips.setAttribute("aria-label", data.text);
  roam(chips, "button:enabled", chips.querySelector("[aria-pressed=true]"));
  chips.onclick = (event) => {
    const chip = event.target.closest("[data-position]");
    if (chip && !chip.disabled) setTriggerValue("open", { turn: data.turn, position: Number(chip.dataset.position) });
  };
  const scroll = root.querySelector(".chips")?.scrollTop ?? 0;
  keepPlace(root, () => root.replaceChildren(numbers, chips, el("p", "soft legend", data.legend)));
  const opened = chips.querySelector("[aria-pressed=true]");
  chips.scrollTop = scroll;
  if (opened && (opened.offsetTop - chips.offsetTop < scroll || opened.offsetTop - chips.offsetTop > scroll + chips.clientHeight - 40)) {
    chips.scrollTop = opened.offsetTop - chips.offsetTop - chips.clientHeight / 2;
  }
}
