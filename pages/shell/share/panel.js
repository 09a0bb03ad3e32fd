// Share panel: a link to copy, its QR code (small, and full screen on a click; none that leads a phone to itself), a
// snippet for embedding. Text is set through textContent only. `data` is described in panel.py.

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
  const button = el("button", "copy", data.labels.copy);
  button.type = "button";
  button.onclick = async () => {
    await copied(field);
    button.textContent = data.labels.copied;
    setTimeout(() => (button.textContent = data.labels.copy), 2000);
  };
  row.append(field, button);
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
  if (data.scannable && data.qr) square(data, root);
  else if (data.scannable) root.append(el("div", "note", data.labels.no_qr));
  root.append(el("div", "head", data.labels.embed), line(data, data.embed, data.labels.embed));
}
