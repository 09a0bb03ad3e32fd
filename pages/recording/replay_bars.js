// Probability bars of one step, and the interval [0, 1] of its draw, as SVG. All text is set through textContent.

const ROW = 30, WORDS = 92, VALUES = 150;

const draw = (tag, attributes, text) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
};

// Width in pixels of a word in the 16 px monospaced font: wide characters take 1 em, others 0.55 em.
const wordWidth = (text) => textWidth(text, 16, 0.55);

function shortWord(text) {
  const signs = [...text];
  if (wordWidth(text) <= WORDS - 10) return text;
  while (signs.length && wordWidth(signs.join("")) > WORDS - 26) signs.pop();
  return `${signs.join("")}…`;
}

function drawBars(step, names, width) {
  const picture = draw("svg", { class: "bars", viewBox: `0 0 ${width} ${step.bars.length * ROW}`, height: step.bars.length * ROW, role: "img" });
  const hatch = draw("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  hatch.append(draw("line", { class: "hatch", x1: 1, x2: 1, y1: 0, y2: 6 }));
  picture.append(hatch);
  const room = (width - WORDS - VALUES) / step.full;
  step.bars.forEach((row, i) => {
    const group = draw("g", { class: `row ${row.state}`, transform: `translate(0 ${i * ROW})` });
    const details = [row.token, row.rank, row.believed, row.drawn, row.reason].map((value, k) => [names[k], value]).filter(([, value]) => value);
    group.append(draw("title", {}, details.map((pair) => pair.join(": ")).join("\n")), draw("rect", { width, height: ROW, fill: "transparent" }));
    if (row.state === "cut") {
      group.append(draw("rect", { class: "hatched", x: WORDS, y: 9, width: row.raw * room, height: 12, fill: "url(#hatch)" }));
    } else {
      group.append(draw("rect", { class: `bar ${row.state}`, x: WORDS, y: 5, width: row.shown * room, height: 14, rx: 2 }));
      group.append(draw("rect", { class: "belief", x: WORDS, y: 20.5, width: row.raw * room, height: 5, rx: 1 }));
    }
    const word = row.state === "others" ? row.word : shortWord(row.word);
    const struck = row.state === "cut" ? " struck" : "";
    group.append(draw("text", { class: `word ${row.state}${struck}`, x: WORDS - 10, y: 21, "text-anchor": "end" }, word));
    if (row.branch) group.append(draw("rect", { class: "frame", x: WORDS - 15 - wordWidth(word), y: 3, width: wordWidth(word) + 10, height: 24, rx: 4 }));
    group.append(draw("text", { class: `value ${row.state}`, x: width - VALUES + 10, y: 20 }, row.value));
    picture.append(group);
  });
  return picture;
}

// The interval [0, 1] divided among the tokens by their probabilities after the filters, in descending order; mark at u.
function drawLine(step, width) {
  const L = 4, W = width - 8, TOP = 22, HIGH = 16;
  const picture = draw("svg", { class: "line", viewBox: `0 0 ${width} 60`, height: 60, role: "img" });
  const [low, high] = step.interval;
  let at = 0;
  const part = (from, to, kind, title) => {
    const node = draw("rect", { class: `part ${kind}`, x: L + from * W, y: TOP, width: Math.max(kind === "pick" ? 2 : 0, (to - from) * W), height: HIGH, "stroke-width": (to - from) * W > 4 ? 1 : 0 });
    node.append(draw("title", {}, title));
    picture.append(node);
  };
  part(0, 1, "rest", "");
  for (const row of step.bars.filter(({ state, shown }) => state !== "others" && shown > 0)) {
    if (row.state === "pick") part(low, high, "pick", row.word);
    else part(at, at + row.shown, "", row.word);
    at = row.state === "pick" ? Math.max(at, Math.abs(at - low) < 1e-4 ? high : at) : at + row.shown;
  }
  const x = L + step.u * W;
  const end = x > width / 2;
  picture.append(draw("path", { class: "mark", d: `M${x} ${TOP - 1}l-5 -8h10z` }));
  picture.append(draw("text", { class: "mark", x: end ? x - 9 : x + 9, y: TOP - 5, "text-anchor": end ? "end" : "start" }, `u = ${step.u.toFixed(4)} → ${shortWord(step.word)}`));
  for (const tick of [0, 0.5, 1]) picture.append(draw("text", { class: "tick", x: L + tick * W, y: TOP + HIGH + 15, "text-anchor": ["start", "middle", "end"][tick * 2] }, tick));
  return picture;
}
