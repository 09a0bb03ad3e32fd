// Enter applies a prompt, and Shift+Enter begins a new line. Draws nothing. `data.box` is the key of the text area, which
// by itself applies its text at Ctrl+Enter and when it loses the focus.

const boxes = new Set();

const isPrompt = (node) => node.localName === "textarea" && [...boxes].some((box) => node.closest(box));

function onKey(event) {
  const { key, shiftKey, ctrlKey, altKey, metaKey, target } = event;
  if (!isEnter(event) || shiftKey || ctrlKey || altKey || metaKey || !isPrompt(target)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  target.dispatchEvent(new KeyboardEvent("keydown", { key, ctrlKey: true, bubbles: true, cancelable: true }));
}

// The name of the key on a phone's keyboard.
function onFocus({ target }) {
  if (isPrompt(target)) target.enterKeyHint = "go";
}

export default function ({ data }) {
  boxes.add(`.st-key-${CSS.escape(data.box.replace(/[^\w-]/g, "-"))}`);
  document.addEventListener("keydown", onKey, true);
  document.addEventListener("focusin", onFocus);
}
