// Queue of the visitor's moves. Each has a number and is sent again with every later one until the app has made it
// (`data.made` is the number of the last), so that a slow connection neither loses a move nor makes it twice.
function queue(component, root) {
  const { made } = component.data;
  root.last = Math.max(root.last ?? 0, made);
  root.waiting = (root.waiting ?? []).filter(({ n }) => n > made);
  root.move = (kind, values = {}) => {
    root.waiting.push({ n: ++root.last, kind, ...values });
    root.picked = values.token;
    component.setStateValue("moves", [...root.waiting]);
    if (kind === "next" && root.waiting.length === 1) showInAdvance(root, "next_step", show);
  };
}

// Keys that press a button, unless they are typed into a field, have a meaning for the focused element, or are part of a
// shortcut.
const KEYS = { ArrowRight: "next", ArrowLeft: "back", " ": "run" };
const OWN_KEYS = "input, textarea, select, [contenteditable], [role=slider], [role=radio], [role=tab], [role=option], [role=application]";
const PRESSED_BY_SPACE = "button, summary, a, [role=button]";

function listenForKeys(root) {
  if (root.listens) return;
  root.listens = true;
  const pressed = (event) => {
    if (!root.isConnected) return document.removeEventListener("keydown", pressed);
    const name = KEYS[event.key];
    const target = event.composedPath()[0];
    if (!name || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    if (target.matches?.(OWN_KEYS) || (event.key === " " && target.matches?.(PRESSED_BY_SPACE))) return;
    if (document.querySelector("[role=dialog]")) return;
    event.preventDefault();
    const button = root.querySelector(`[data-keep=${name}]`);
    if (!button.disabled && !(event.repeat && name === "run")) button.click();
  };
  document.addEventListener("keydown", pressed);
}
