// Arcs over the text from the token at the cursor to those it attends to, shown while the visitor wants them. `arcs` is
// described in attention_arcs.py.

const ARCS_HEIGHT = 34; // pixels above the first line, see stage.css

const arcsWanted = () => stored("arcs") === "1";

function drawArcsButton(root, box, data) {
  if (!data.arcs || root.matches(".simple")) return;
  const button = makeButton("looking", data.labels.arcs, () => {
    stored("arcs", arcsWanted() ? "0" : "1");
    keepPlace(root, () => drawAll(root, data, false));
  });
  button.dataset.keep = "arcs";
  button.setAttribute("aria-pressed", String(arcsWanted()));
  box.append(button);
}

function drawArcs(root, strip, data) {
  const shown = Boolean(data.arcs) && !root.matches(".simple") && arcsWanted();
  root.querySelector(".looks").textContent = shown ? data.arcs.told : "";
  strip.classList.toggle("arced", shown);
  if (!shown) return;
  const tokens = new Map([...strip.querySelectorAll(".t:not(.beyond)")].map((token) => [Number(token.dataset.place), token]));
  const most = Math.max(...data.arcs.arcs.map(([, weight]) => weight));
  const drawing = svg("svg", { class: "arcs", width: strip.clientWidth, height: strip.scrollHeight, "aria-hidden": "true" });
  const from = top(strip, tokens.get(data.line.indexOf(data.cursor)));
  for (const [place, weight] of data.arcs.arcs) {
    const token = tokens.get(place);
    const share = Math.sqrt(weight / most).toFixed(2);
    token.style.background = `color-mix(in srgb, var(--attention) calc(${share} * var(--deepest)), transparent)`;
    drawing.append(svg("path", { d: bend(from, top(strip, token)), "stroke-width": 1 + 7 * weight, opacity: 0.25 + 0.75 * Math.sqrt(weight) }));
  }
  strip.append(drawing);
}

// Middle of a token's upper edge, within the strip's scrolled content.
function top(strip, token) {
  const box = token.getBoundingClientRect(), home = strip.getBoundingClientRect();
  return { x: box.left + box.width / 2 - home.left, y: box.top - home.top + strip.scrollTop };
}

function bend(from, to) {
  if (from.x === to.x && from.y === to.y)
    return `M${from.x - 6} ${from.y} C${from.x - 15} ${from.y - 26} ${from.x + 15} ${from.y - 26} ${from.x + 6} ${from.y}`;
  const rise = Math.min(ARCS_HEIGHT * 1.3 - 3, 20 + Math.abs(from.x - to.x) / 8); // a curve reaches three quarters of it
  return `M${from.x} ${from.y} C${from.x} ${from.y - rise} ${to.x} ${to.y - rise} ${to.x} ${to.y}`;
}
