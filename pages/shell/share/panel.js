// Share panel: a link to copy, its QR code (small, and full screen on a click; none that leads a phone to itself), the
// readable link, a snippet for embedding, the text. Text is set through textContent only. `data`: see panel.py.

const copied = async (field) => {
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    field.select(); // the clipboard API needs https
    document.execCommand("copy");
  }
};

function line(data, value, name) {
  const row = el("div", "line");
  const field = el("input");
  field.readOnly = true;
  field.value = value;
  field.setAttribute("aria-label", name);
  field.onfocus = () => field.select();
  row.append(field, copyButton(data, field, data.labels.copy));
  return row;
}

function copyButton(data, field, name) {
  const button = makeButton("copy", name, async () => {
    await copied(field);
    button.textContent = data.labels.copied;
    setTimeout(() => (button.textContent = name), 2000);
  });
  return button;
}

// The whole text: in a field that is not seen, since a line of it would say little.
function wholeText(data) {
  const row = el("div", "line");
  const field = el("textarea", "unseen");
  field.readOnly = true;
  field.tabIndex = -1;
  field.value = data.text;
  field.setAttribute("aria-hidden", "true");
  row.append(copyButton(data, field, data.labels.text), field);
  return row;
}

function code(qr) {
  const image = el("img");
  image.src = qr;
  image.alt = "";
  return image;
}

function square(data, root) {
  const large = el("dialog", "large");
  large.append(code(data.qr));
  large.onclick = () => large.close();
  const small = el("button", "qr");
  small.type = "button";
  small.title = data.labels.large;
  small.setAttribute("aria-label", data.labels.large);
  small.append(code(data.qr));
  small.onclick = () => large.showModal();
  root.append(small, el("div", "note", data.labels.large), large);
}

export default function (component) {
  const { data } = component;
  const root = rootOf(component);
  root.replaceChildren(line(data, data.link, data.labels.link));
  if (data.notice) root.append(el("div", "notice", data.notice));
  if (data.how.length) {
    const how = el("details", "note");
    how.append(el("summary", "", data.how[0]), el("div", "", data.how[1]));
    root.append(how);
  }
  if (data.scannable && data.qr) square(data, root);
  else if (data.scannable) root.append(el("div", "note", data.labels.no_qr));
  if (data.readable) root.append(el("div", "head", data.labels.readable), line(data, data.readable, data.labels.readable));
  if (data.text) root.append(el("div", "head"), wholeText(data));
  root.append(el("div", "head", data.labels.embed), line(data, data.embed, data.labels.embed));
}
