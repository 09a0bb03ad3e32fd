// The teacher's question, its answers as they come, and its result, for a projector: `first` is the button that a
// presenter's clicker presses. All text through textContent.
// `data`: see round_view.py.

function ready(data, report) {
  const { labels } = data;
  const buttons = el("div", "actions");
  buttons.append(makeButton("primary first ask", labels.ask, () => report("ask")));
  if (data.go_on) buttons.append(makeButton("game", data.go_on, () => report("game")));
  buttons.append(makeButton("spread", labels.spread, () => report("spread")));
  const anew = () => report("game", { anew: true });
  buttons.append(makeButton("game anew", data.go_on ? labels.new_game : labels.game, anew));
  const shows = el("div", "actions shows");
  for (const [name, on] of [["follow", data.following], ["lead", data.leading]]) {
    const toggle = makeButton(name, labels[name], () => report(name, { on: !on }));
    toggle.setAttribute("aria-pressed", String(on));
    toggle.dataset.keep = name;
    shows.append(toggle);
  }
  const notes = [data.following && labels.follow_note, data.leading && labels.lead_note].filter(Boolean);
  return [passage(data), buttons, el("p", "note", labels.spread_note), shows, ...notes.map((note) => el("p", "note", note))];
}

// How many answers count as the same token, without the tokens.
function hiddenBars(data) {
  const box = el("div", "hidden");
  box.setAttribute("role", "img");
  box.setAttribute("aria-label", fill(data.labels.bars, { counts: data.counts.join(", ") || "0" }));
  for (const count of data.counts.slice(0, 8)) {
    const line = el("div", "row");
    const bar = el("div", "bar");
    bar.style.width = `${(100 * count) / Math.max(data.members, 1)}%`;
    const track = el("div", "track");
    track.append(bar);
    line.append(el("span", "unknown", "？"), track, el("span", "number", count));
    box.append(line);
  }
  return box;
}

function open(data, report) {
  const { labels } = data;
  const buttons = el("div", "actions");
  buttons.append(
    makeButton("primary first reveal", labels.reveal, () => report("reveal")),
    makeButton("withdraw", labels.withdraw, () => report("withdraw")),
  );
  const answered = el("p", "answered", data.answered);
  // The button above the bars: it stays where it is while they come.
  return [el("h2", "", data.head), passage(data), answered, buttons, hiddenBars(data), el("p", "note", labels.hidden)];
}

function revealed(data, report, root) {
  const { labels } = data;
  const buttons = el("div", "actions");
  data.takes.forEach(([whose, text], at) =>
    buttons.append(makeButton(at ? "take" : "primary first take", text, () => report("take", { whose }))));
  if (data.game) {
    buttons.append(makeButton("primary first next", data.last ? labels.another_game : labels.next, () => report("game")));
    buttons.append(makeButton("dismiss", labels.end_game, () => report("dismiss")));
  } else {
    buttons.append(makeButton(data.takes.length ? "dismiss" : "primary first dismiss", labels.go_on, () => report("dismiss")));
  }
  const verdict = sentences(data.told.slice(0, data.first));
  const board = data.board ? scoreboard(data, root) : [];
  const more = el("div", "told");
  for (const line of data.told.slice(data.first)) more.append(el("p", "", line));
  return [
    el("h2", "", data.head), passage(data), verdict, buttons, ...board, distributions(data), more, el("p", "note", labels.legend),
  ];
}

// Everybody continues the text: what is written as it comes, and then for all.
function spread(data, report, root) {
  const labels = data.spread_labels;
  const open = data.spread === "open";
  const buttons = el("div", "actions");
  if (open) {
    buttons.append(
      makeButton("primary first reveal", labels.show, () => report("reveal")),
      makeButton("withdraw", labels.withdraw, () => report("withdraw")),
    );
  } else {
    buttons.append(makeButton("primary first dismiss", labels.go_on, () => report("dismiss")));
  }
  if (open) buttons.append(el("p", "answered", data.answered));
  return [
    el("h2", "", data.head), passage(data), el("p", "how", data.how), buttons, sentences(data.told),
    ...spreadTexts(data, root),
  ];
}

export default function (component) {
  const root = rootOf(component);
  const { data, setTriggerValue } = component;
  const place = `${data.number} ${data.stage}`;
  const within = root.contains(root.getRootNode().activeElement);
  drawnAnew(component, root, {}, () => {
    let sent = false;
    const report = (name, value) => {
      if (sent) return;
      sent = true; // a double click is one
      setTimeout(() => (sent = false), 1500);
      setTriggerValue(name, { number: data.number, ...value });
    };
    const problem = el("p", "problem", data.problem);
    problem.setAttribute("role", "alert");
    return [problem, ...{ ready, open, revealed, spread }[data.stage](data, report, root)];
  });
  announce(root, data.answered ?? data.told?.[0] ?? "");
  if (within && root.place !== place) {
    const first = root.querySelector("h2") ?? root.querySelector("button");
    if (first.tagName === "H2") first.tabIndex = -1; // not on a button, which a second Enter would press
    first.focus({ preventScroll: true });
  }
  root.place = place;
}
