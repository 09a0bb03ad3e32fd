// Presentation mode, for a projector: the class `presenting` of the document, after which presented_page.css and the stage
// are drawn. This tab keeps it over page changes and reloads. The key F switches it, Escape leaves it; PageDown and
// PageUp, the keys of a presenter's clicker, press the page's main button and the one that goes back.

const MODE_KEY = "presenting";
const LAID_OUT_FOR = [1000, 560]; // pixels of the window in which a page is not enlarged
const TYPED_INTO = "input:not([type=range], [type=checkbox], [type=radio]), textarea, select, [contenteditable], [role=option]";

function show(on) {
  document.documentElement.classList.toggle("presenting", on);
  enlarge();
  dispatchEvent(new Event("resize"));
}

// After a reload.
function resume() {
  if (stored(MODE_KEY) === "on" && !presenting()) show(true);
}

function present(on) {
  stored(MODE_KEY, on ? "on" : "off");
  const page = document.documentElement;
  if (on) page.requestFullscreen?.().catch(() => {}); // it may be refused
  else if (document.fullscreenElement === page) document.exitFullscreen();
  show(on);
  // Streamlit draws a frame around a focused page, after a key was pressed.
  if (!on && document.activeElement?.matches(".stMain")) document.activeElement.blur();
}

function enlarge() {
  const [width, height] = LAID_OUT_FOR;
  const zoom = Math.min(innerWidth / width, innerHeight / height);
  document.documentElement.style.setProperty("--enlarged", Math.max(1, zoom).toFixed(3));
}

const seen = (button) => button.getClientRects().length > 0 && !button.disabled;

// The button that a presenter's clicker presses: the stage's, else the page's own, else the first main one of a component.
function buttonFor(key) {
  const roots = [...document.querySelectorAll("[data-testid=stBidiComponentIsolated]")].map((node) => node.shadowRoot);
  const inside = (selector) => roots.flatMap((root) => [...(root?.querySelectorAll(selector) ?? [])]);
  if (key === "PageUp") return inside("[data-keep=back]").find((button) => !button.disabled);
  const main = [...document.querySelectorAll(".stMain [data-testid=stBaseButton-primary]")];
  return [...inside("[data-keep=next]"), ...main, ...inside("button:is(.first, .next)")].find(seen);
}

function pressed(event) {
  const { key, ctrlKey, altKey, metaKey } = event;
  if (event.defaultPrevented || ctrlKey || altKey || metaKey || event.composedPath()[0].matches?.(TYPED_INTO)) return;
  if (document.querySelector("[role=dialog], [data-testid=stPopoverBody]")) return;
  if (key.toLowerCase() === "f" && !event.repeat) present(!presenting());
  else if (key === "Escape" && presenting()) present(false);
  else if ((key === "PageDown" || key === "PageUp") && presenting()) {
    const button = buttonFor(key);
    if (!button) return;
    button.click();
  } else return;
  event.preventDefault();
}

function listenForPresenter(root) {
  if (root.listens) return;
  root.listens = true;
  const end = new AbortController();
  const listen = (target, name, act) =>
    target.addEventListener(name, (event) => (root.isConnected ? act(event) : end.abort()), { signal: end.signal });
  listen(document, "keydown", pressed);
  listen(window, "resize", enlarge);
  // The Escape that ends the full screen is not a key press for the page.
  let whole = document.fullscreenElement === document.documentElement;
  listen(document, "fullscreenchange", () => {
    if (whole && !document.fullscreenElement && presenting()) present(false);
    whole = document.fullscreenElement === document.documentElement;
  });
}
