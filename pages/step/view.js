// Cookie by which this browser shows the step page as it was last. Draws nothing.

export default function ({ data }) {
  document.cookie = `${data.cookie}; path=/; max-age=31536000; samesite=lax`;
}
