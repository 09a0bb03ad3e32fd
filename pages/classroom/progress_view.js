// Progress of the class in the lessons. All text through textContent. `data`: see progress_view.py.

const CHECK_SECONDS = 5; // between two counts of who is at a stage for long

function countCell(names, root) {
  const cell = el("td", names.length ? "some" : "none", String(names.length));
  if (root.named && names.length) {
    const list = el("small", "names", names.join(" · "));
    list.dir = "auto";
    cell.append(list);
  }
  return cell;
}

function lessonTable(lesson, data, root, now) {
  const { labels } = data;
  const table = el("table", "stages");
  table.append(el("caption", "", lesson.title));
  const top = el("tr");
  for (const name of ["", labels.here, labels.stuck, labels.done]) {
    top.append(Object.assign(el(name ? "th" : "td", "", name), name ? { scope: "col" } : {}));
  }
  const head = el("thead");
  head.append(top);
  const body = el("tbody");
  lesson.stages.forEach((stage, at) => {
    const line = el("tr");
    const name = el("th", "stage");
    name.scope = "row";
    name.append(el("b", "", at < lesson.steps ? fill(labels.step, { n: at + 1 }) : labels.question), el("span", "", stage.text));
    const stuck = stage.here.filter(([, long]) => long <= now).map(([who]) => who);
    line.append(name, countCell(stage.here.map(([who]) => who), root), countCell(stuck, root), countCell(stage.done, root));
    if (stuck.length) line.classList.add("stuck");
    body.append(line);
  });
  table.append(head, body);
  return table;
}

function answersOf(lesson, labels) {
  if (!lesson.answers.length) return [];
  const all = lesson.answers.reduce((sum, [, , count]) => sum + count, 0);
  const list = el("ul", "answers");
  for (const [text, right, count] of lesson.answers) {
    const item = el("li");
    const track = el("div", "track");
    track.setAttribute("aria-hidden", "true");
    const bar = el("div", "bar");
    bar.style.width = `${(100 * count) / all}%`;
    track.append(bar);
    item.append(el("span", "number", String(count)), track, el("span", "", text));
    if (right) item.append(el("small", "right", `✓ ${labels.right}`));
    list.append(item);
  }
  return [el("h3", "", labels.answers), list];
}

export default function (component) {
  const root = rootOf(component);
  const { data } = component;
  root.ahead = data.now - Date.now() / 1000; // of the server's clock
  const draw = () => {
    const now = Date.now() / 1000 + root.ahead;
    const shown = JSON.stringify({ ...data, now: 0, named: root.named, stuck: stuckOf(data, now) });
    if (root.drawn === shown) return;
    root.drawn = shown;
    keepPlace(root, () => {
      if (!data.lessons.length) return root.replaceChildren();
      const box = el("details", "progress");
      box.open = root.opened ?? false;
      box.ontoggle = () => (root.opened = box.open);
      const title = el("summary", "", data.title);
      title.dataset.keep = "progress";
      const names = makeButton("names", root.named ? data.labels.no_names : data.labels.names, () => {
        root.named = !root.named;
        draw();
      });
      names.dataset.keep = "names";
      box.append(title, names);
      for (const lesson of data.lessons) {
        const scroll = el("div", "scroll");
        scroll.append(lessonTable(lesson, data, root, now));
        box.append(scroll, ...answersOf(lesson, data.labels));
      }
      box.append(el("p", "note", data.labels.note));
      root.replaceChildren(box);
    });
  };
  root.draw = draw;
  draw();
  root.timer ??= setInterval(() => {
    if (root.isConnected) return root.draw();
    clearInterval(root.timer);
    root.timer = undefined;
  }, 1000 * CHECK_SECONDS);
}

function stuckOf(data, now) {
  return data.lessons.map((lesson) => lesson.stages.map((stage) => stage.here.filter(([, long]) => long <= now).length));
}
