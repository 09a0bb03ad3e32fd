// Lines between the boxes of the diagram: the way of the vector along the left edge, from which attention and MLP read
// and to which they add, and the way back to the text along the right edge.

const SPINE = 19; // pixels from the left edge
const TURN = 12;

// Places of a box within the diagram.
function placeOf(flow, box) {
  const scale = scaleOf(flow);
  const home = flow.getBoundingClientRect(), at = box.getBoundingClientRect();
  const left = (at.left - home.left) / scale, top = (at.top - home.top) / scale;
  const width = at.width / scale, height = at.height / scale;
  return { left, right: left + width, top, bottom: top + height, middle: top + height / 2, x: left + Math.min(width / 2, 120) };
}

function arrow(x, y, turn) {
  return svg("path", { d: "M-4 -6L3 0L-4 6", transform: `translate(${x} ${y}) rotate(${turn})`, class: "tip" });
}

function plus(y) {
  const sign = svg("g", { class: "plus" });
  sign.append(svg("circle", { cx: SPINE, cy: y, r: 8 }), svg("path", { d: `M${SPINE - 4} ${y}h8M${SPINE} ${y - 4}v8` }));
  return sign;
}

// Draws the lines into `drawing`; `moving`: a light runs along them once.
function drawWires(flow, drawing, moving) {
  const boxes = Object.fromEntries([...flow.querySelectorAll("[data-box]")].map((box) => [box.dataset.box, placeOf(flow, box)]));
  const { tokens, embedding, attention, mlp, stream, norm, logits, softmax, choice } = boxes;
  const width = flow.clientWidth, height = flow.clientHeight;
  for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` })) drawing.setAttribute(name, value);
  drawing.replaceChildren();
  const line = (d, name) => drawing.append(svg("path", { d, class: name }));
  for (const [from, to] of [[tokens, embedding], [norm, logits], [logits, softmax], [softmax, choice]]) {
    line(`M${from.x} ${from.bottom}V${to.top - 3}`, "wire");
    drawing.append(arrow(from.x, to.top - 4, 90));
  }
  const way = `M${embedding.left} ${embedding.middle}H${SPINE + TURN}Q${SPINE} ${embedding.middle} ${SPINE} ${embedding.middle + TURN}V${norm.middle - TURN}Q${SPINE} ${norm.middle} ${SPINE + TURN} ${norm.middle}H${norm.left - 4}`;
  line(way, "way");
  drawing.append(arrow(norm.left - 4, norm.middle, 0));
  for (const part of [attention, mlp]) {
    const out = Math.min(part.top + 12, part.middle - 6), back = Math.max(part.bottom - 11, part.middle + 6);
    line(`M${SPINE} ${out - TURN}Q${SPINE} ${out} ${SPINE + TURN} ${out}H${part.left - 3}`, "wire");
    line(`M${part.left} ${back}H${SPINE + 9}`, "wire");
    drawing.append(arrow(part.left - 4, out, 0), plus(back));
  }
  line(`M${SPINE + 6} ${stream.middle}H${stream.left}`, "tap");
  drawing.append(svg("circle", { cx: SPINE, cy: stream.middle, r: 5, class: "dot" }));
  const edge = width - 12;
  const round = `M${choice.right} ${choice.middle}H${edge - TURN}Q${edge} ${choice.middle} ${edge} ${choice.middle - TURN}V${tokens.middle + TURN}Q${edge} ${tokens.middle} ${edge - TURN} ${tokens.middle}H${tokens.right + 4}`;
  line(round, "round");
  drawing.append(arrow(tokens.right + 5, tokens.middle, 180));
  if (!moving || reducedMotion()) return;
  const whole = `M${tokens.x} ${tokens.bottom}V${embedding.top}M${embedding.left} ${embedding.middle}${way.slice(way.indexOf("H"))}M${norm.x} ${norm.bottom}V${choice.top}`;
  const light = svg("path", { d: whole, class: "light", pathLength: 100 });
  light.onanimationend = () => light.remove();
  drawing.append(light);
}
