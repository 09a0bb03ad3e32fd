// Saves the pictures of this page as PNG or SVG, each as it stands at that moment. `data` is described in picture.py.

const SHARPNESS = 2; // pixels of a PNG for one on the page
const MOST_PIXELS = 40e6;

// What is drawn in the element of the app that has this key: our own components keep theirs in a shadow root.
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

function save(blob, name) {
  const link = el("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function raster({ text, width, height }) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const scale = Math.min(SHARPNESS, Math.sqrt(MOST_PIXELS / (width * height)));
  const canvas = el("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done, fail) => canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("no picture"))), "image/png"));
}

async function take(root, { key, name, file }, kind) {
  const found = find(key);
  if (!found.length) throw new Error("it is not on the page any more");
  const drawing = vector(found, getComputedStyle(root).getPropertyValue("--paper").trim(), name);
  const svg = new Blob([drawing.text], { type: "image/svg+xml" });
  save(kind === "svg" ? svg : await raster(drawing), `${file}.${kind}`);
}

export default function (component) {
  const { data } = component;
  const root = rootOf(component);
  const told = el("p", "told");
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
        told.textContent = "";
        try {
          await take(root, picture, kind);
        } catch {
          told.textContent = data.labels.failed;
        }
      };
      row.append(button);
    }
    list.append(row);
  }
  told.textContent = list.childNodes.length ? "" : data.labels.none;
  root.replaceChildren(list, told);
}
