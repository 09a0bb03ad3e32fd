// Stands before every component. All text goes in through textContent.

const el = (tag, name, text) => {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
};

// Where a component draws, in the colours of the theme.
function rootOf({ data, parentElement }) {
  const root = parentElement.querySelector(".root");
  root.className = `root ${data.dark ? "dark" : ""}`;
  return root;
}

function makeButton(name, text, act) {
  const node = el("button", name, text);
  node.type = "button";
  node.onclick = act;
  return node;
}

// A sentence with its {names} filled in. (`replace` with a text would read a token such as "$&" as a command.)
const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

const svg = (tag, attributes, text) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
};

// Draws anew what is below root, and leaves the keyboard where it was: at what has the same `data-keep`.
function keepPlace(root, draw) {
  const active = root.getRootNode().activeElement;
  const place = active && root.contains(active) && active.matches(":focus-visible") ? active.dataset.keep : undefined;
  draw();
  if (place !== undefined) [...root.querySelectorAll("[data-keep]")].find((node) => node.dataset.keep === place)?.focus({ preventScroll: true });
}

// Of many buttons Tab reaches one, `start`; from there the arrow keys lead on. `next(item, key, items)` says where to.
function roam(box, selector, start, next = inLine) {
  const items = [...box.querySelectorAll(selector)];
  for (const item of items) item.tabIndex = -1;
  const stop = start ?? items[0];
  if (stop) stop.tabIndex = 0;
  box.addEventListener("focusin", (event) => {
    if (!items.includes(event.target)) return;
    for (const item of items) if (item.tabIndex === 0) item.tabIndex = -1;
    event.target.tabIndex = 0;
  });
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !items.includes(event.target)) return;
    const to = next(event.target, event.key, items);
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // the page's own shortcuts
    to?.focus();
  });
}

// In one line: left and right, Home and End. Null where there is nothing further that way.
function inLine(item, key, items) {
  const at = items.indexOf(item);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: items.length - 1 }[key];
  return to === undefined ? undefined : (items[to] ?? null);
}

// A probability as a person says it; as `Translator.percent` in i18n.py.
function percent(data, p) {
  if (p < 1e-15) return data.labels.less;
  if (p < 0.0001) {
    const n = Number((1 / p).toPrecision(2));
    const sizes = [1e12, 1e8, 1e4];
    const unit = sizes.findIndex((size) => n >= size);
    const name = data.labels.units[unit];
    const large = name ? `${Number((n / sizes[unit]).toPrecision(10)).toLocaleString("en")} ${name}` : n.toLocaleString("en");
    return data.labels.one_in.replace("{n}", large);
  }
  if (p >= 0.995) return `${(Math.min(p, p < 1 ? 0.9999 : 1) * 100).toFixed(p < 1 ? 2 : 0)}\u00a0%`;
  const value = p * 100;
  return value >= 9.95 ? `${value.toFixed(0)}\u00a0%` : `${Number(value.toPrecision(2))}\u00a0%`;
}

// A choice shows at once and is told to the app under `name`; `heard` gives what to show: the app's word, but an answer
// to an earlier choice does not undo a later one.
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

// How far below expectation a token was, for its underline: 0 under 3 bits, 1 under 7 bits, else 2.
function surpriseLevel(logp) {
  const bits = -logp / Math.LN2;
  return bits < 3 ? 0 : bits < 7 ? 1 : 2;
}

// Ground behind a token: the stronger, the more probable the model found it.
const beliefColor = (p) => `color-mix(in srgb, var(--belief) ${Math.round(p * 100)}%, transparent)`;

// Width of a text in a monospaced face of `em` pixels: wide characters (CJK) take one em, others `narrow` of it.
const textWidth = (text, em, narrow = 0.5) =>
  [...text].reduce((sum, char) => sum + (char.codePointAt(0) > 0x2e7f ? em : em * narrow), 0);
