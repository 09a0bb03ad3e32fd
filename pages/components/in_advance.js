// Data that in_advance.py sends before it is asked for, kept for `showInAdvance` in difference.js.
export default function ({ data }) {
  (window.inAdvance ??= {})[data.name] = data;
}
