// The picture in the shape of a slide: shown in small, saved as PNG or SVG, copied. `data` is described in slide.py.
// The SVG is only ever the source of an image, in which no script runs.

function measured(text) {
  const { documentElement } = new DOMParser().parseFromString(text, "image/svg+xml");
  return { text, width: Number(documentElement.getAttribute("width")), height: Number(documentElement.getAttribute("height")) };
}

export default function (component) {
  const { data } = component;
  const root = rootOf(component);
  const drawing = measured(data.svg);
  const said = el("p", "said");
  said.setAttribute("role", "status");
  const image = el("img");
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(data.svg)}`;
  image.alt = data.labels.alt;
  const way = (name, act, problem) =>
    makeButton("", name, async () => {
      said.textContent = "";
      try {
        said.textContent = (await act()) ?? "";
      } catch {
        said.textContent = problem;
      }
    });
  const copy = async () => {
    // The promise, not its result: Safari forgets the click while the picture is being made.
    await navigator.clipboard.write([new ClipboardItem({ "image/png": raster(drawing) })]);
    return data.labels.copied;
  };
  const ways = el("div", "ways");
  ways.append(
    way("PNG", async () => save(await raster(drawing), `${data.file}.png`), data.labels.failed),
    way("SVG", () => save(new Blob([data.svg], { type: "image/svg+xml" }), `${data.file}.svg`), data.labels.failed),
    way(data.labels.copy, copy, data.labels.no_copy),
  );
  root.replaceChildren(image, ways, said);
}
