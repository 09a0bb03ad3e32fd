// The browser's history: one entry for each thing that a person did. Draws nothing.

const rest = (search) => {
  const said = new URLSearchParams(search);
  const had = said.has("typed");
  said.delete("typed");
  return had ? said.toString() : null;
};

// A server that was started again knows nothing of this page, and Streamlit asks it for nothing: clicks would be lost.
// When a connection is there again the address is taken once more, as after Back and Forward.
function reconnect() {
  const state = () => document.querySelector("[data-test-connection-state]")?.dataset.testConnectionState;
  let before = state();
  const look = () => {
    const now = state();
    if (now === "CONNECTED" && before !== now) window.dispatchEvent(new PopStateEvent("popstate"));
    before = now;
  };
  const what = { subtree: true, attributeFilter: ["data-test-connection-state"] };
  new MutationObserver(() => setTimeout(look)).observe(document.body, what);
}

export default function (component) {
  // Streamlit pushes an entry whenever the address changes. While a run writes (the address then says `run`), while a
  // text is typed (`typed`), and in a page that stands inside another, the present entry is rewritten instead.
  if (!window.history.pushState.gentle) {
    const push = window.history.pushState;
    window.history.pushState = function (state, unused, url) {
      const next = new URL(url ?? window.location.href, window.location.href);
      const same = next.pathname === window.location.pathname;
      const running = new URLSearchParams(window.location.search).has("run");
      const typing = rest(next.search) !== null && rest(next.search) === rest(window.location.search);
      const gently = same && (running || typing || window.parent !== window);
      return (gently ? window.history.replaceState : push).call(window.history, state, unused, url);
    };
    window.history.pushState.gentle = true;
    reconnect();
  }
  const { query } = component.data;
  if (query && window.history.pushState.said !== query) {
    window.history.pushState.said = query; // once: it may be drawn again after the address has changed
    const now = new URLSearchParams(window.location.search);
    const embed = [...now].filter(([name]) => /^embed(_options)?$/i.test(name));
    const next = new URLSearchParams([...embed, ...new URLSearchParams(query)]);
    window.history.replaceState(window.history.state, "", `?${next}`);
  }
}
