// Helper functions, part of every component's script. Text is set through textContent only.

const el = (tag, name, text) => {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
};

// The component's root element, with its style (see register.py) and the class of the current theme. A browser's
// translation must not change tokens.
function rootOf({ data, parentElement }) {
  const root = parentElement.querySelector(".root");
  const { adoptedStyleSheets } = root.getRootNode();
  if (!adoptedStyleSheets.includes(componentStyle)) adoptedStyleSheets.push(componentStyle);
  root.classList.toggle("dark", Boolean(data.dark));
  root.translate = false;
  return root;
}

// Whether the page is shown for a projector (frame/presentation.js).
const presenting = () => document.documentElement.classList.contains("presenting");

// How many times larger than its layout an element is shown: presentation mode enlarges pages.
const scaleOf = (node) => node.getBoundingClientRect().width / node.offsetWidth || 1;

// Calls `draw` after each change of the window's width or of presentation mode, and in that mode of its height.
function onResize(root, draw) {
  const listening = root.onResize;
  root.onResize = draw;
  if (listening) return;
  const size = () => `${innerWidth} ${presenting() && innerHeight}`;
  let before = size();
  const changed = () => {
    if (!root.isConnected) return removeEventListener("resize", changed);
    if (size() === before) return;
    before = size();
    root.onResize();
  };
  addEventListener("resize", changed);
}

// Whether the pointer is at another place than at the last call: where the page moves below a pointer that rests, the
// browser reports it over another element.
function pointerMoved(root, { clientX, clientY }) {
  const before = root.pointer;
  root.pointer = `${clientX} ${clientY}`;
  return root.pointer !== before;
}

const reducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// Whether a key press is an Enter and not one that takes an input method's candidate: Safari reports that one after the
// composition, with the code 229.
const isEnter = ({ key, isComposing, keyCode }) => key === "Enter" && !isComposing && keyCode !== 229;

// What this tab keeps under a name over page changes and reloads; `value` replaces it. null where storage is blocked.
function stored(name, value) {
  try {
    if (value !== undefined) sessionStorage.setItem(name, value);
    return sessionStorage.getItem(name);
  } catch {
    return null;
  }
}

function makeButton(name, text, act) {
  const node = el("button", name, text);
  node.type = "button";
  node.onclick = act;
  return node;
}

// A sentence with its {names} filled in. The replacement is a function, because "$&" in a string would be special.
const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

const svg = (tag, attributes, text) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
};

// Redraws the content of root; the keyboard focus moves to the new element with the same `data-keep`.
function keepPlace(root, draw) {
  const active = root.getRootNode().activeElement;
  const place = active && root.contains(active) && active.matches(":focus-visible") ? active.dataset.keep : undefined;
  draw();
  if (place !== undefined) [...root.querySelectorAll("[data-keep]")].find((node) => node.dataset.keep === place)?.focus({ preventScroll: true });
}

// Roving tabindex: Tab reaches one of the items, initially `start`; the arrow keys move on from there.
// `next(item, key, items)` returns the item to focus, null to stay, undefined for a key that it does not handle.
// Called again after each change of the items of a box that stays.
function roam(box, selector, start, next = inLine) {
  const items = () => [...box.querySelectorAll(selector)];
  for (const item of items()) item.tabIndex = -1;
  const stop = start ?? items()[0];
  if (stop) stop.tabIndex = 0;
  if (box.roams) return;
  box.roams = true;
  box.addEventListener("focusin", (event) => {
    if (!items().includes(event.target)) return;
    for (const item of items()) if (item.tabIndex === 0) item.tabIndex = -1;
    event.target.tabIndex = 0;
  });
  box.addEventListener("keydown", (event) => {
    const all = items();
    if (event.ctrlKey || event.altKey || event.metaKey || !all.includes(event.target)) return;
    const to = next(event.target, event.key, all);
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // the page's own shortcuts
    to?.focus();
  });
}

// `next` for items in one line: Left, Right, Home and End.
function inLine(item, key, items) {
  const at = items.indexOf(item);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: items.length - 1 }[key];
  return to === undefined ? undefined : (items[to] ?? null);
}

// A probability in readable form; the same as `Translator.percent` in i18n/translator.py.
function percent(data, p) {
  if (p < 1e-15) return data.labels.less;
  if (p < 0.0001) {
    const n = Number((1 / p).toPrecision(2));
    const sizes = [1e12, 1e8];
    const unit = sizes.findIndex((size) => n >= size);
    const name = data.labels.units[unit];
    const large = name ? `${Number((n / sizes[unit]).toPrecision(10)).toLocaleString("en")}\u00a0${name}` : n.toLocaleString("en");
    return data.labels.one_in.replace("{n}", large);
  }
  if (p >= 0.995) return `${(Math.min(p, p < 1 ? 0.9999 : 1) * 100).toFixed(p < 1 ? 2 : 0)}%`;
  const value = p * 100;
  return value >= 9.95 ? `${value.toFixed(0)}%` : `${Number(value.toPrecision(2))}%`;
}

// Optimistic update: a selection is shown at once and reported to the app as event `name`. `heard` returns the value to
// show: the app's, except for 1.5 s after a selection that the app's data does not contain yet.
function ask(component, root, name, value) {
  root.asked = { value: JSON.stringify(value), text: component.data.text, at: Date.now() };
  component.setTriggerValue(name, { text: component.data.text, ...value });
}

function heard(data, root, value) {
  const asked = root.asked;
  if (!asked || asked.text !== data.text || asked.value === JSON.stringify(value) || Date.now() - asked.at > 1500) {
    delete root.asked;
    return value;
  }
  return JSON.parse(asked.value);
}

// Level of a token's underline by its surprisal: 0 below 3 bits, 1 below 7 bits, else 2.
function surpriseLevel(logp) {
  const bits = -logp / Math.LN2;
  return bits < 3 ? 0 : bits < 7 ? 1 : 2;
}

// Background of a token; its opacity is the token's probability.
const beliefColor = (p) => `color-mix(in srgb, var(--belief) ${Math.round(p * 100)}%, transparent)`;

// Width of a text in a monospaced font of `em` pixels: 1 em for a wide character (CJK), `narrow` em for others.
const textWidth = (text, em, narrow = 0.5) =>
  [...text].reduce((sum, char) => sum + (char.codePointAt(0) > 0x2e7f ? em : em * narrow), 0);
