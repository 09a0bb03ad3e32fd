// BPE merges of a text, one at a time. All text is set through textContent. `data` is described in bpe_merges.py.

function signOf([label, hex], kind) {
  const sign = el("span", kind);
  sign.dir = "auto";
  // An incomplete character is displayed as its bytes; the label below names the character and the part.
  sign.append(el("span", "read", hex || label));
  if (hex) sign.append(el("span", "part", label));
  return sign;
}

// Line above the words: the next pair to be merged.
function drawComing(place, data, count) {
  const merge = data.merges[count];
  if (!merge) {
    place.replaceChildren(el("span", "", data.merges.length ? data.labels.done : data.labels.none));
    return;
  }
  const [at, rightAt, rank, made] = merge;
  const signs = standing(data, count);
  const told = el("span", "told", fill(data.labels.coming, { rank: rank.toLocaleString("en") }));
  place.replaceChildren(
    told, signOf(signs.get(at), "sign"), el("span", "soft", "+"), signOf(signs.get(rightAt), "sign"), el("span", "soft", "→"), signOf(made, "sign made"),
  );
}

// Tokens after `count` merges: index of the first part → sign.
function standing(data, count) {
  const signs = new Map(data.parts.map(([sign], i) => [i, sign]));
  for (const [at, rightAt, , made] of data.merges.slice(0, count)) {
    signs.set(at, made);
    signs.delete(rightAt);
  }
  return signs;
}

function drawWords(place, data, count) {
  const next = data.merges[count];
  const last = count ? data.merges[count - 1][0] : -1;
  const made = new Set(data.merges.slice(0, count).map(([at]) => at));
  let word, number;
  place.replaceChildren();
  for (const [at, sign] of standing(data, count)) {
    if (data.parts[at][1] !== number) {
      number = data.parts[at][1];
      word = el("span", "word");
      place.append(word);
    }
    const pair = next && (at === next[0] || at === next[1]);
    word.append(signOf(sign, `sign${pair ? " pair" : ""}${at === last ? " last" : ""}${made.has(at) ? " joined" : ""}`));
  }
  const pair = place.querySelector(".pair");
  if (pair) place.scrollTop = Math.max(0, pair.offsetTop - place.offsetTop - place.clientHeight / 2);
}

function drawList(root, data) {
  const columns = ["rank", "left", "right", "made"].map((name) => data.labels[name]);
  return asTable(root, "merges", data.labels.list, columns, () => {
    const signs = standing(data, 0);
    const read = ([label, hex]) => (hex ? `${hex}  (${label})` : label);
    return data.merges.map(([at, rightAt, rank, made]) => {
      const row = [rank.toLocaleString("en"), ...[signs.get(at), signs.get(rightAt), made].map(read)];
      signs.set(at, made);
      return row;
    });
  });
}

export default function (component) {
  const { data, setTriggerValue } = component;
  const root = rootOf(component);
  root.turn = data.turn;
  const same = JSON.stringify([data.parts, data.merges, data.labels]);
  if (root.same === same) return; // only the reported position changed: already drawn
  root.same = same;
  const coming = el("div", "coming");
  coming.setAttribute("aria-live", "polite");
  const words = el("div", "words");
  const move = (count) => {
    drawComing(coming, data, count);
    drawWords(words, data, count);
  };
  const rest = (count) => setTriggerValue("at", { turn: root.turn, count });
  const bar = stepper(data.labels, data.merges.length, data.at, move, rest);
  root.replaceChildren(bar, coming, words, ...(data.merges.length ? [drawList(root, data)] : []));
}
