// Language of the document, for screen readers: Streamlit always declares English. Also reruns the app when the
// browser's colour scheme changes, to draw in the other palette, and keeps the browser's translation out of charts, whose
// labels are tokens. Draws nothing.

const night = matchMedia("(prefers-color-scheme: dark)");

const NEW_CHARTS = ":is([data-testid=stVegaLiteChart], [data-testid=stPlotlyChart]):not([translate])";

function keepLabels() {
  for (const chart of document.querySelectorAll(NEW_CHARTS)) chart.translate = false;
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
  watchCharts();
  night.onchange = () => setTimeout(() => setTriggerValue("turned", night.matches), 100); // after Streamlit has changed its theme
}
