// A conversation and the box for the next message. All text is set through textContent. `data` is described in
// conversation.py. The box keeps what is being typed; it is emptied when the app has taken what was sent.

function autoBox(label, rows) {
  const box = el("textarea");
  box.rows = rows;
  box.spellcheck = false;
  box.setAttribute("aria-label", label);
  return box;
}

const wellFormed = (text) => text.toWellFormed?.() ?? text;

export default function (component) {
  const { data, setTriggerValue } = component;
  const root = rootOf(component);
  const act = (kind, more = {}) => setTriggerValue("act", { kind, turn: data.turn, ...more });
  if (!root.log) {
    root.log = el("div", "log");
    root.log.setAttribute("role", "log");
    root.composer = composer(root);
    root.append(root.log, root.composer);
  }
  if (root.turn !== data.turn) {
    const taken = data.messages.findLast(({ role }) => role === "user")?.text;
    if (root.sent !== undefined && root.sent === taken && wellFormed(root.box.value) === root.sent) root.box.value = "";
    if (root.turn !== undefined) root.editor = undefined;
    root.sent = undefined;
    root.turn = data.turn;
  }
  drawLog(root, data, act);
  drawComposer(root, data, act);
}

function composer(root) {
  const form = el("div", "composer");
  root.box = autoBox("", 1);
  root.button = makeButton("send", "", () => root.press());
  root.box.onkeydown = (event) => {
    if (!isEnter(event) || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (!root.running) root.press();
  };
  form.append(root.box, root.button);
  return form;
}

function drawComposer(root, data, act) {
  const { labels } = data;
  root.running = data.running;
  root.box.placeholder = labels.say;
  root.box.setAttribute("aria-label", labels.say);
  root.box.disabled = data.disabled;
  root.button.textContent = data.running ? labels.stop : labels.send;
  root.button.classList.toggle("stop", data.running);
  root.button.disabled = data.disabled && !data.running;
  root.press = () => {
    if (data.running) return act("stop");
    if (!root.box.value.trim()) return root.box.focus();
    root.sent = wellFormed(root.box.value);
    act("send", { text: root.sent });
  };
}

function drawLog(root, data, act) {
  const { log } = root;
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40 || root.shown !== data.messages.length;
  root.shown = data.messages.length;
  log.setAttribute("aria-busy", data.running);
  keepPlace(log, () => {
    log.replaceChildren();
    if (!data.messages.length) log.append(el("p", "empty", data.labels.empty));
    data.messages.forEach((message, at) => log.append(drawMessage(root, data, message, at, act)));
  });
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function drawMessage(root, data, message, at, act) {
  const { labels } = data;
  const own = message.role === "assistant";
  const last = at === data.messages.length - 1;
  const node = el("div", `message ${message.role}`);
  node.append(el("div", "name", own ? labels.model : labels.you));
  if (message.thinking !== null) node.append(drawThinking(root, data, message, at));
  if (root.editor?.at === at) {
    node.append(root.editor.node);
    return node;
  }
  const text = el("div", "text", message.text);
  text.dir = "auto";
  if (own && last && data.running) text.append(el("span", "cur"));
  if (message.text || (own && last && data.running)) node.append(text);
  const row = el("div", "actions");
  if (own && last && data.status) row.append(el("span", "status", data.status));
  if (own && last && !data.running && data.can_go_on) row.append(action(labels.go_on, `go ${at}`, () => act("go_on")));
  if (last && !data.running) row.append(action(labels.again, `again ${at}`, () => act("again")));
  if (!own && !data.disabled) row.append(action(labels.edit, `edit ${at}`, () => edit(root, data, message, at, act)));
  if (last && !data.running) row.append(action(labels.clear, `clear ${at}`, () => act("clear")));
  if (row.childElementCount) node.append(row);
  return node;
}

function action(label, keep, run) {
  const button = makeButton("action", label, run);
  button.dataset.keep = keep;
  return button;
}

// What the model writes between its thinking marks: open while it is being written, until somebody folds it.
function drawThinking(root, data, message, at) {
  const part = el("details", "thinking");
  root.folds ??= {};
  const place = `${data.turn} ${at}`;
  part.open = root.folds[place] ?? !message.closed;
  const head = el("summary", "", data.labels.thinking);
  head.dataset.keep = `think ${at}`;
  head.onclick = () => (root.folds[place] = !part.open);
  const text = el("div", "text", message.thinking);
  text.dir = "auto";
  part.append(head, text);
  return part;
}

// The message in a box of its own, until it is sent or left.
function edit(root, data, message, at, act) {
  const node = el("div", "editor");
  const box = autoBox(data.labels.edit, 2);
  box.value = message.text;
  const leave = () => {
    root.editor = undefined;
    drawLog(root, data, act);
  };
  const send = () => {
    if (!box.value.trim()) return;
    act("edit", { at, text: wellFormed(box.value) });
  };
  box.onkeydown = (event) => {
    if (event.key === "Escape" && !event.isComposing) leave();
    else if (isEnter(event) && !event.shiftKey) send();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  node.append(box, makeButton("send small", data.labels.send, send), makeButton("action", data.labels.cancel, leave));
  root.editor = { at, node };
  drawLog(root, data, act);
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
}
