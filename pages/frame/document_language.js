// Streamlit's page says that it is English; a screen reader must know in which language to read. And when day turns to
// night at a visitor's, the app must know it, to draw in other colours. Draws nothing.

const night = matchMedia("(prefers-color-scheme: dark)");

export default function ({ data, setTriggerValue }) {
  document.documentElement.lang = data.language;
  night.onchange = () => setTimeout(() => setTriggerValue("turned", night.matches), 100); // Streamlit's turn first
}
