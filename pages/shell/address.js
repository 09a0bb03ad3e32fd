// Browser history with one entry per action of the visitor. Draws nothing.

// A query without `typed` and its checksum; null if it has no `typed`.
const withoutTyped = (search) => {
  const params = new URLSearchParams(search);
  const typed = params.has("typed");
  params.delete("typed");
  params.delete("check");
  return typed ? params.toString() : null;
};

// After a server restart Streamlit reconnects, but does not rerun the page; the new session has no state, and clicks
// would be lost. A popstate event on reconnection makes it restore the state from the URL, as after Back and Forward.
function reconnect() {
  const state = () => document.querySelector("[data-test-connection-state]")?.dataset.testConnectionState;
  let before = state();
  const check = () => {
    const now = state();
    if (now === "CONNECTED" && before !== now) window.dispatchEvent(new PopStateEvent("popstate"));
    before = now;
  };
  const options = { subtree: true, attributeFilter: ["data-test-connection-state"] };
  new MutationObserver(() => setTimeout(check)).observe(document.body, options);
}

export default function (component) {
  // Streamlit pushes an entry whenever the query changes. During a run (the query then contains `run`), while a text is
  // being typed (`typed`), and in an embedded page, the current entry is replaced instead.
  if (!window.history.pushState.merges) {
    const push = window.history.pushState;
    window.history.pushState = function (state, unused, url) {
      const next = new URL(url ?? window.location.href, window.location.href);
      const same = next.pathname === window.location.pathname;
      const running = new URLSearchParams(window.location.search).has("run");
      const typing = withoutTyped(next.search) !== null && withoutTyped(next.search) === withoutTyped(window.location.search);
      const merge = same && (running || typing || window.parent !== window);
      return (merge ? window.history.replaceState : push).call(window.history, state, unused, url);
    };
    window.history.pushState.merges = true;
    reconnect();
  }
  const { query } = component.data;
  if (query && window.history.pushState.replaced !== query) {
    window.history.pushState.replaced = query; // once: the component may be drawn again after the query has changed
    const now = new URLSearchParams(window.location.search);
    const embed = [...now].filter(([name]) => /^embed(_options)?$/i.test(name));
    const next = new URLSearchParams([...embed, ...new URLSearchParams(query)]);
    window.history.replaceState(window.history.state, "", `?${next}`);
  }
}
