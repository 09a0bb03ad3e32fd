// Light or dark: as the URL demands (`embed_options`), else as chosen on a page and remembered by this browser, else as the
// system has it. Streamlit and the app follow the browser's media query. It is answered here, before their scripts run,
// so that a choice takes effect at once, without a reload. The control (frame/display.js) uses `window.colorScheme`.
{
  const QUERY = "(prefers-color-scheme: dark)";
  const KEY = "color-scheme";
  const system = matchMedia(QUERY);
  const answer = matchMedia.bind(window);
  const options = [...new URLSearchParams(location.search)].map((pair) => pair.join("=").toLowerCase());
  const demanded = ["light", "dark"].find((scheme) => options.includes(`embed_options=${scheme}_theme`));

  function remembered() {
    try {
      return localStorage.getItem(KEY);
    } catch { // storage may be blocked
      return null;
    }
  }

  class ColorScheme extends EventTarget {
    media = QUERY;
    onchange = null;
    demanded = Boolean(demanded);
    chosen = demanded ?? ["light", "dark"].find((scheme) => scheme === remembered()) ?? "system";

    get matches() {
      return this.chosen === "system" ? system.matches : this.chosen === "dark";
    }

    choose(scheme) {
      const before = this.matches;
      this.chosen = scheme;
      try {
        localStorage.setItem(KEY, scheme);
      } catch {} // it lasts until the next load
      this.apply();
      if (this.matches !== before) this.tell();
    }

    apply() {
      const { style } = document.documentElement;
      style.colorScheme = this.chosen === "system" ? "" : this.chosen;
      for (const meta of document.querySelectorAll("meta[name=theme-color]")) {
        const shown = meta.dataset.scheme === this.chosen ? "all" : "not all";
        meta.media = this.chosen === "system" ? `(prefers-color-scheme: ${meta.dataset.scheme})` : shown;
      }
    }

    tell() {
      const event = Object.assign(new Event("change"), { matches: this.matches, media: QUERY });
      this.dispatchEvent(event);
      this.onchange?.(event);
    }
  }

  const scheme = new ColorScheme();
  system.addEventListener("change", () => scheme.chosen === "system" && scheme.tell());
  scheme.apply();
  window.colorScheme = scheme;
  window.matchMedia = (query) => (query === QUERY ? scheme : answer(query));
}
