// Language of the document, for screen readers: Streamlit always declares English. Also reruns the app when the
// browser's colour scheme changes, to draw in the other palette, and keeps the browser's translation out of charts, whose
// labels are tokens. Draws nothing. For the print style it notes whether the page is dark, and the address and the date.

const night = matchMedia("(prefers-color-scheme: dark)");

const NEW_CHARTS = ":is([data-testid=stVegaLiteChart], [data-testid=stPlotlyChart]):not([translate])";

function keepLabels() {
  for (const chart of document.querySelectorAll(NEW_CHARTS)) chart.translate = false;
}

function noteForPrint() {
  const page = document.querySelector(".stMainBlockContainer");
  const address = location.href.length > 200 ? location.origin + location.pathname : location.href;
  if (page) page.dataset.printed = `${address} · ${new Date().toLocaleDateString(document.documentElement.lang)}`;
}

let watched = null;

function watchCharts() {
  const app = document.querySelector("[data-testid=stApp]");
  if (!app || app === watched) return;
  watched = app;
  new MutationObserver(keepLabels).observe(app, { childList: true, subtree: true });
  keepLabels();
}

export default function ({ data, setTriggerValue }) {
  document.documentElement.lang = data.language;
  document.documentElement.classList.toggle("dark", data.dark);
  matchMedia("print").onchange = noteForPrint;
  watchCharts();
  night.onchange = () => setTimeout(() => setTriggerValue("turned", night.matches), 100); // after Streamlit has changed its theme
}
