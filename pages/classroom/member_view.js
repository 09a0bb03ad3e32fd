// What a member of a class sees, on a phone. All text through textContent. `data`: see member_view.py.

function answerForm(data, report) {
  const { labels } = data;
  const box = el("input", "typed");
  Object.assign(box, { type: "text", maxLength: 60, placeholder: labels.placeholder });
  Object.assign(box, { autocomplete: "off", autocapitalize: "off", spellcheck: false });
  box.setAttribute("aria-label", labels.answer);
  box.setAttribute("aria-describedby", "note");
  box.dataset.keep = "typed";
  const send = () => report("answer", { text: box.value.toWellFormed() });
  box.onkeydown = (event) => {
    if (isEnter(event) && !event.repeat) send();
  };
  const line = el("div", "line");
  line.append(box, makeButton("primary send", data.answered ? labels.change : labels.send, send));
  const options = el("div", "options");
  options.setAttribute("role", "group");
  options.setAttribute("aria-label", labels.or);
  data.options.forEach(([token, text]) => {
    const option = makeButton("option", text, () => report("pick", { token }));
    option.dir = "auto";
    option.setAttribute("aria-pressed", String(token === data.picked));
    option.dataset.keep = `option ${token}`;
    options.append(option);
  });
  const note = el("p", "note", labels.note);
  note.id = "note";
  return [line, el("p", "soft", labels.or), options, note];
}

// Everybody continues the teacher's text: the button, then the own text, then those of all.
function spread(data, report, root) {
  const labels = data.spread_labels;
  const parts = [el("h2", "", data.head), passage({ ...data, continued: data.written })];
  if (data.withheld) parts.push(el("p", "problem", labels.withheld));
  if (data.spread === "open") {
    const write = makeButton("primary write", labels.write, () => {
      write.disabled = true; // a double click is one
      report("write", {});
    });
    write.dataset.keep = "write";
    const line = el("div", "actions");
    if (data.written === null) line.append(write);
    parts.push(line);
  }
  parts.push(el("p", "how", data.seed), el("p", "how", data.how));
  if (data.spread === "revealed") parts.push(sentences(data.told), ...spreadTexts(data, root));
  return parts;
}

function stage(data, report, root) {
  if (data.stage === "spread") return spread(data, report, root);
  if (data.stage === "wait") return [sentences(data.told)];
  const head = el("h2", "", data.head);
  if (data.stage === "text") return [head, passage(data)];
  if (data.stage === "revealed") {
    const verdict = sentences(data.told.slice(0, data.first));
    const board = data.board ? scoreboard(data, root) : [];
    const more = el("div", "told");
    for (const line of data.told.slice(data.first)) more.append(el("p", "", line));
    return [head, passage(data), verdict, ...board, distributions(data), more, el("p", "note", data.labels.legend)];
  }
  const answered = el("p", "answered", data.answered);
  return [head, passage(data), answered, ...(data.stage === "open" ? answerForm(data, report) : [])];
}

// Links that the teacher has handed out, the newest first.
function handed(data, setTriggerValue) {
  const list = el("ul", "handed");
  for (const [title, link] of data.handed) {
    const open = makeButton("open", title, () => setTriggerValue("open", { link }));
    open.dir = "auto";
    open.dataset.keep = `open ${link}`;
    const item = el("li");
    item.append(open);
    list.append(item);
  }
  return data.handed.length ? [el("h2", "", data.labels.handed), list] : [];
}

function along(data, setTriggerValue) {
  const { labels } = data;
  const button = makeButton("along", data.along ? labels.alone : labels.along, () =>
    setTriggerValue("along", { on: !data.along }));
  button.dataset.keep = "along";
  return button;
}

export default function (component) {
  const root = rootOf(component);
  const { data, setTriggerValue } = component;
  if (!root.left) kept(data.keep);
  const place = `${data.number} ${data.stage}`;
  const typing = root.querySelector(".typed");
  const typed = root.place === place ? typing?.value : "";
  const focused = root.place === place && typing && root.getRootNode().activeElement === typing;
  const drawn = drawnAnew(component, root, { room: 0 }, () => {
    const problem = el("p", "problem", data.problem);
    problem.setAttribute("role", "alert");
    const report = (name, value) => setTriggerValue(name, { number: data.number, ...value });
    const foot = el("div", "foot");
    foot.append(el("span", "who", data.who), ...(data.leads ? [along(data, setTriggerValue)] : []), twice("leave", data.labels.leave, data.labels.leave_sure, () => {
      root.left = true;
      kept(null);
      setTriggerValue("leave", {});
    }));
    const given = data.stage === "open" ? [] : handed(data, setTriggerValue);
    return [problem, ...stage(data, report, root), ...given, foot];
  });
  if (drawn && typed) root.querySelector(".typed").value = typed;
  if (drawn && focused) root.querySelector(".typed")?.focus({ preventScroll: true });
  root.place = place;
  if (data.stage === "text") {
    root.live.textContent = root.announced = ""; // a text that grows is not read out anew
    return void watchRoom(component, root);
  }
  // A new question with its text, what became of an answer, the result; what is wrong is an alert.
  announce(root, data.answered || data.told?.join(" ") || `${data.head} ${data.before} ${data.labels.gap}`);
  watchRoom(component, root);
}
