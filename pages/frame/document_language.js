// Language of the document, for screen readers: Streamlit always declares English. Also reruns the app when the
// browser's colour scheme changes, to draw in the other palette. Draws nothing.

const night = matchMedia("(prefers-color-scheme: dark)");

export default function ({ data, setTriggerValue }) {
  document.documentElement.lang = data.language;
  night.onchange = () => setTimeout(() => setTriggerValue("turned", night.matches), 100); // after Streamlit has changed its theme
}
