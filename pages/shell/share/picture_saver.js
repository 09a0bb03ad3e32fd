// Saves the pictures of this page as PNG or SVG, in their current state. `data` is described in picture_saver.py.

// Drawn elements of the Streamlit element with this key: a component's root in its shadow DOM, or a chart.
function find(key) {
  const home = document.querySelector(`.st-key-${key.trim().replaceAll(/[^a-zA-Z0-9_-]/g, "-")}`);
  if (!home) return [];
  for (const node of [home, ...home.querySelectorAll("*")]) {
    const own = node.shadowRoot?.querySelector(".root");
    if (own) return [own];
  }
  const chart = home.querySelector(".js-plotly-plot .svg-container, .vega-embed, [data-testid=stVegaLiteChart]");
  return chart ? [chart] : [];
}

async function savePicture(root, { key, name, file }, kind) {
  const elements = find(key);
  if (!elements.length) throw new Error("it is not on the page any more");
  const drawing = vector(elements, getComputedStyle(root).getPropertyValue("--paper").trim(), name);
  const svg = new Blob([drawing.text], { type: "image/svg+xml" });
  save(kind === "svg" ? svg : await raster(drawing), `${file}.${kind}`);
}

export default function (component) {
  const { data } = component;
  const root = rootOf(component);
  const message = el("p", "told");
  const list = el("div", "list");
  for (const picture of data.pictures) {
    if (!find(picture.key).length) continue;
    const row = el("div", "row");
    row.append(el("span", "name", picture.name));
    for (const kind of ["png", "svg"]) {
      const button = el("button", "kind", kind.toUpperCase());
      button.type = "button";
      button.setAttribute("aria-label", `${picture.name} ${kind.toUpperCase()}`);
      button.onclick = async () => {
        message.textContent = "";
        try {
          await savePicture(root, picture, kind);
        } catch {
          message.textContent = data.labels.failed;
        }
      };
      row.append(button);
    }
    list.append(row);
  }
  message.textContent = list.childNodes.length ? "" : data.labels.none;
  root.replaceChildren(list, message);
}
