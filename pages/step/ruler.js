// The interval [0, 1] divided among the tokens by their probabilities after the filters, in descending order, with the
// uniform random number of the draw. `ruler` is described in stage.py. Text is set through textContent only.
function drawRuler(box, ruler, data) {
  const line = el("div", "line");
  for (const [low, high, word, kind] of ruler.parts) {
    const part = el("span", `part ${kind}`, high - low > 0.05 ? word : "");
    part.style.left = `${low * 100}%`;
    part.style.width = `${(high - low) * 100}%`;
    part.title = `${word} ${percent(data, high - low)}`;
    line.append(part);
  }
  box.replaceChildren(line);
  for (const tick of [0, 0.5, 1]) {
    const number = el("span", "tick", tick);
    number.style.left = `${tick * 100}%`;
    box.append(number);
  }
  if (ruler.u === null) return box.append(el("span", "told", ruler.told));
  const mark = el("span", "mark");
  mark.style.left = `${ruler.u * 100}%`;
  const drawn = el("span", `told ${ruler.u > 0.5 ? "before" : "after"}`, ruler.told);
  drawn.style.setProperty("--u", ruler.u);
  box.append(mark, drawn);
}
