// Glossary; `data` is `glossary_data` of glossary_page.py. A term's anchor is `#key`. All text is set through textContent.

function searchable(term, open) {
  const item = drawEntry(term, open);
  item.id = term.key;
  item.words = `${term.name} ${term.twin} ${term.means}`.toLowerCase();
  return item;
}

export default function (component) {
  const { data, setTriggerValue } = component;
  const root = rootOf(component);
  root.translate = true; // sentences alone
  const open = (name) => setTriggerValue("term", { name });
  const search = el("input", "search");
  Object.assign(search, { type: "search", placeholder: data.labels.search, value: root.query ?? "", maxLength: 60 });
  search.setAttribute("aria-label", data.labels.search);
  const none = el("p", "none", data.labels.none);
  none.setAttribute("role", "status");
  const sections = data.parts.map((part) => {
    const node = el("section");
    const list = el("dl");
    for (const term of part.terms) list.append(searchable(term, open));
    node.append(el("h2", "", part.title), list);
    return node;
  });
  const filter = () => {
    root.query = search.value;
    const wanted = search.value.trim().toLowerCase();
    for (const node of sections) {
      for (const item of node.querySelectorAll(".entry")) item.hidden = !item.words.includes(wanted);
      node.hidden = !node.querySelector(".entry:not([hidden])");
    }
    none.hidden = sections.some((node) => !node.hidden);
  };
  search.oninput = filter;
  root.replaceChildren(search, ...sections, none);
  filter();
  const anchor = decodeURIComponent(location.hash.slice(1));
  if (anchor && root.scrolledTo !== anchor) {
    root.scrolledTo = anchor;
    const found = sections.flatMap((node) => [...node.querySelectorAll(".entry")]).find((item) => item.id === anchor);
    found?.classList.add("here");
    found?.scrollIntoView({ block: "center" });
  }
}
