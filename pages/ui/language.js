// Streamlit's page says that it is English; a screen reader must know in which language to read. Draws nothing.

export default function ({ data }) {
  document.documentElement.lang = data.language;
}
