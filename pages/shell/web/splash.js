// The splash stays, and the app below it invisible, until Streamlit has drawn a page: what moves on the way is not seen.
// A notice or a progress bar (a model is being loaded) is shown at once, and a page that works for long after a while.
// Without an answer from the server the app is shown anyway: it says what is wrong.
const splash = document.getElementById("splash");
const root = document.getElementById("root");
const NEWS = ".stApp :is([data-testid=stAlert], [data-testid=stException], [data-testid=stProgress])";
const WAITING = ":is([data-test-script-state=running], [data-test-script-state=initial]), .stMain [data-testid=stSkeleton]";
const begun = Date.now();
let headed = 0; // when the head of the page was there

const empty = (component) => component.offsetParent && !component.shadowRoot?.querySelector(".root")?.hasChildNodes();
const components = () => [...root.querySelectorAll("[data-testid=stBidiComponentIsolated]")];

function drawn() {
  if (root.querySelector(NEWS)) return true;
  if (!root.querySelector(".stMain .st-key-lead")) return false;
  headed ||= Date.now();
  return !root.querySelector(WAITING) && !components().some(empty);
}

const timer = setInterval(() => {
  const now = Date.now();
  if (!drawn() && now - begun < 20000 && !(headed && now - headed > 3000)) return;
  clearInterval(timer);
  splash.remove();
}, 50);
