// Document of headings, lists and tables; `data.blocks` is described in paper.py. All text is set through textContent.

// URL of a link, from the address at which the browser has the app.
const target = (path) => new URL(path || "./", location.origin + location.pathname.replace(/[^/]*\/?$/, "")).href;

function linkTo({ path, text }) {
  const node = el("a", "", text);
  Object.assign(node, { href: target(path), target: "_blank", rel: "noopener" });
  return node;
}

function cellOf({ title, text, links }) {
  const node = el("td");
  if (title) node.append(el("b", "", title));
  if (text) node.append(el("span", "", text));
  for (const link of links) node.append(linkTo(link));
  return node;
}

function tableOf({ columns, rows, to_fill_in: toFillIn }) {
  const table = el("table", toFillIn ? "fill" : "");
  const head = el("tr");
  for (const { title, width } of columns) {
    const cell = el("th", "", title);
    cell.scope = "col";
    cell.style.width = `${width}%`;
    head.append(cell);
  }
  const body = el("tbody");
  for (const row of rows) {
    const line = el("tr");
    line.append(...row.map(cellOf));
    row.forEach((_, at) => (line.children[at].dataset.title = columns[at].title));
    body.append(line);
  }
  const top = el("thead");
  top.append(head);
  table.append(top, body);
  return table;
}

function listOf(tag, texts, name = "") {
  const list = el(tag, name);
  list.append(...texts.map((text) => el("li", "", text)));
  return list;
}

function sheetHead({ title, fields, address, note, qr, qr_name: qrName }) {
  const node = el("header");
  const words = el("div");
  const line = el("p", "fields");
  line.append(...fields.map((field) => el("span", "", field)));
  words.append(el("h2", "", title), line);
  if (address) words.append(el("p", "address", address));
  words.append(el("p", "note", note));
  node.append(words);
  if (qr) {
    const image = el("img");
    Object.assign(image, { src: qr, alt: qrName });
    node.append(image);
  }
  return node;
}

const DRAW = {
  heading: ({ text, new_page: newPage }) => el("h2", newPage ? "new-page" : "", text),
  paragraph: ({ text }) => el("p", "", text),
  items: ({ texts, numbered }) => listOf(numbered ? "ol" : "ul", texts),
  questions: ({ texts }) => listOf("ol", texts, "questions"),
  table: tableOf,
  sheet_head: sheetHead,
};

export default function (component) {
  const { data } = component;
  const root = rootOf(component);
  root.translate = true; // sentences more than tokens
  root.replaceChildren(makeButton("print", data.print, () => print()), ...data.blocks.map((block) => DRAW[block.kind](block)));
}
