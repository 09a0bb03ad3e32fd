// A text box that reports its text while the visitor types. `data` is described in text_area.py.

export default function (component) {
  const { data, setTriggerValue } = component;
  const root = rootOf(component);
  let box = root.querySelector("textarea");
  if (!box) {
    box = el("textarea");
    box.rows = 2;
    box.spellcheck = false;
    root.append(box);
  }
  box.placeholder = data.placeholder;
  box.disabled = data.disabled;
  box.setAttribute("aria-label", data.label);
  if (root.turn !== data.turn) {
    root.turn = data.turn;
    box.value = data.text;
    root.told = data.text;
  }
  const tell = () => {
    if (box.value === root.told) return;
    root.told = box.value;
    setTriggerValue("text", { turn: root.turn, text: box.value.toWellFormed?.() ?? box.value });
  };
  let timer;
  box.oninput = (event) => {
    clearTimeout(timer);
    // During an input method's composition the text is incomplete.
    if (!event.isComposing) timer = setTimeout(tell, 180);
  };
  box.oncompositionend = () => {
    clearTimeout(timer);
    timer = setTimeout(tell, 30);
  };
  box.onblur = tell;
}
