// Terms of the glossary in a text: a button with an explanation that opens on hover, focus or tap; the data of a term is
// `entry` of glossary.py. The root's `openTerm` begins the step in which a term is explained.

let shownTerm = null; // {card, button}
let hiding = 0;

function hideTerm() {
  clearTimeout(hiding);
  shownTerm?.card.remove();
  shownTerm?.button.setAttribute("aria-expanded", "false");
  shownTerm = null;
}

function drawTerm(term, text, bold) {
  const button = makeButton(`term${bold ? " bold" : ""}`, text, () => showTerm(button, term));
  button.setAttribute("aria-expanded", "false");
  button.onpointerenter = ({ pointerType }) => pointerType === "mouse" && showTerm(button, term);
  button.onpointerleave = ({ pointerType }) => pointerType === "mouse" && hideTermSoon();
  button.onfocus = () => button.matches(":focus-visible") && showTerm(button, term);
  button.onblur = hideTermSoon;
  button.onkeydown = (event) => {
    if (event.key !== "Escape" || !shownTerm) return;
    event.stopPropagation();
    hideTerm();
  };
  return button;
}

function hideTermSoon() {
  clearTimeout(hiding);
  hiding = setTimeout(hideTerm, 250);
}

// The explanation beside its button, in the browser's top layer: no box that scrolls cuts it off.
function showTerm(button, term) {
  clearTimeout(hiding);
  if (shownTerm?.button === button) return;
  hideTerm();
  const root = button.closest(".root");
  const card = el("div", "termcard");
  card.popover = "manual";
  card.setAttribute("role", "note");
  const head = el("p", "termname");
  head.append(el("b", "", term.name), " ", el("span", "twin", term.twin));
  const go = makeButton("termgo", term.met, () => root.openTerm(term.key));
  card.append(head, el("p", "", term.means), go);
  card.onpointerenter = () => clearTimeout(hiding);
  card.onpointerleave = hideTermSoon;
  card.addEventListener("focusin", () => clearTimeout(hiding));
  card.addEventListener("focusout", hideTermSoon);
  button.after(card); // the next that Tab reaches
  card.showPopover();
  const at = button.getBoundingClientRect();
  const box = card.getBoundingClientRect();
  card.style.left = `${Math.max(8, Math.min(at.left, innerWidth - box.width - 8))}px`;
  card.style.top = `${at.bottom + box.height + 8 > innerHeight ? Math.max(8, at.top - box.height - 4) : at.bottom + 4}px`;
  button.setAttribute("aria-expanded", "true");
  shownTerm = { card, button };
}

// Appends a text of a lesson to an element: **bold** parts, [terms], and {placeholders} replaced by their values. Other
// brackets stay; without `terms` no term is a button.
function write(parent, sentence, values, terms) {
  for (const part of sentence.split(/(\*\*[^*]+\*\*|\[[^\]]+\]|\{\w+\})/)) {
    const bold = part.startsWith("**");
    const marked = bold ? part.slice(2, -2) : part.startsWith("[") ? part.slice(1, -1) : "";
    if (terms && marked in terms) parent.append(drawTerm(terms[marked], marked, bold));
    else if (bold) parent.append(el("b", "", marked));
    else if (marked && !terms) parent.append(marked);
    else if (/^\{\w+\}$/.test(part)) {
      const value = el("span", "value", values[part.slice(1, -1)] ?? "…");
      value.translate = false;
      parent.append(value);
    }
    else parent.append(part);
  }
  return parent;
}

// A term with its twin and its meaning in a list `dl`, and the button that begins its step.
function drawEntry(term, open) {
  const item = el("div", "entry");
  const name = el("dt");
  name.append(el("b", "", term.name), " ", el("span", "twin", term.twin));
  const means = el("dd", "", `${term.means} `);
  means.append(makeButton("termgo", term.met, () => open(term.key)));
  item.append(name, means);
  return item;
}
