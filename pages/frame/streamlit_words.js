// Streamlit's own words in the visitor's language, as soon as it writes them and before they are seen. `data.places` is a
// list of [selector, [[pattern, text], …]]. Draws nothing.

let places = [];
const written = new WeakMap(); // of each node: by attribute, or "" for its text, [Streamlit's words, ours]
const ATTRIBUTES = ["aria-label", "title", "placeholder"];

function replacement(node, name, now, words) {
  const kept = written.get(node)?.[name];
  const theirs = kept?.[1] === now ? kept[0] : now;
  for (const [pattern, text] of words) {
    const found = theirs.match(pattern);
    if (!found) continue;
    const ours = text.replace(/\{(\d)\}/g, (_, group) => found[group]);
    written.set(node, { ...written.get(node), [name]: [theirs, ours] });
    return ours;
  }
  return null;
}

// Whether there was something to replace.
function translate(node, words) {
  let found = false;
  for (const name of ATTRIBUTES) {
    const now = node.getAttribute(name);
    const ours = now && replacement(node, name, now, words);
    if (ours && ours !== now) node.setAttribute(name, ours);
    found ||= Boolean(ours);
  }
  const now = node.childElementCount ? "" : node.textContent;
  const ours = now && replacement(node, "", now, words);
  if (ours && ours !== now) [...node.childNodes].forEach((part, i) => (part.nodeValue = i ? "" : ours));
  return found || Boolean(ours);
}

function translateAll() {
  const done = new Set();
  for (const [place, words] of places)
    for (const box of document.querySelectorAll(place))
      for (const node of [box, ...box.querySelectorAll("*")]) if (!done.has(node) && translate(node, words)) done.add(node);
}

const observer = new MutationObserver(translateAll);

export default function ({ data }) {
  places = data.places.map(([place, words]) => [place, words.map(([pattern, text]) => [new RegExp(pattern, "s"), text])]);
  observer.observe(document.body, { childList: true, subtree: true, characterData: true });
  translateAll();
}
