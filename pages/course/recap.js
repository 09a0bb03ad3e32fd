// Recap of a part; `data` is `recap_data` of recap_page.py. All text is set through textContent.

function drawOpenQuestion(question, data, report) {
  const item = el("li", "asked");
  const head = write(el("p", "ask"), question.ask, {}, question.terms);
  const back = makeButton("back", fill(data.labels.lesson, { title: question.title }), () => report("open", { lesson: question.key }));
  item.append(head, drawQuestion(question, data.labels, (index) => report("answer", { lesson: question.key, index }), question.terms), back);
  return item;
}

export default function (component) {
  const { data, setTriggerValue } = component;
  const root = rootOf(component);
  root.translate = true; // sentences alone
  const restored = syncProgress(data.kept);
  if (restored) setTriggerValue("remembered", { kept: restored });
  const report = (name, value) => setTriggerValue(name, value);
  root.openTerm = (name) => report("term", { name });
  hideTerm();
  const told = el("p", "told", data.told);
  told.setAttribute("aria-live", "polite");
  const questions = el("ol", "questions");
  for (const question of data.questions) questions.append(drawOpenQuestion(question, data, report));
  const terms = el("dl", "terms");
  for (const term of data.terms) terms.append(drawEntry(term, root.openTerm));
  const next = data.next && makeButton("first next", data.next.label, () => report("open", { lesson: data.next.lesson }));
  keepPlace(root, () =>
    root.replaceChildren(el("h2", "title", data.title), el("p", "sum", data.sum), el("h2", "", data.labels.questions), told, questions, ...(next ? [next] : []), el("h2", "", data.labels.terms), terms),
  );
}
