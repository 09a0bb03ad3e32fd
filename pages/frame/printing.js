// What the print style needs: whether the page is dark, the address and the date, and how much a wide picture must shrink.
// Draws nothing.

const PAPER = 700; // pixels of width: A4, upright, without its margins
const WIDE = ".pane, .line, .scroll, .sums"; // in components: what is scrolled sideways on the screen

// The width below which the content of a box would be cut.
function neededWidth(box) {
  box.style.width = "0";
  const width = box.scrollWidth;
  box.style.width = "";
  return width;
}

function prepare() {
  const page = document.querySelector(".stMainBlockContainer");
  const address = location.href.length > 200 ? location.origin + location.pathname : location.href;
  if (page) page.dataset.printed = `${address} · ${new Date().toLocaleDateString(document.documentElement.lang)}`;
  for (const component of document.querySelectorAll("[data-testid=stBidiComponentIsolated]"))
    for (const box of component.shadowRoot?.querySelectorAll(WIDE) ?? [])
      box.style.setProperty("--fit", Math.min(1, PAPER / neededWidth(box)));
}

export default function ({ data }) {
  document.documentElement.classList.toggle("dark", data.dark);
  window.onbeforeprint = prepare;
  matchMedia("print").onchange = ({ matches }) => matches && prepare();
}
