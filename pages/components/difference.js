// Data that is known in advance: its difference from the data on the screen (in_advance.py) arrives before the visitor asks
// for it, and is shown at the click, before the app answers.

// The opposite of `difference` in difference.py.
function changed(before, { keys, from, items, value }) {
  if (items) return [...before.slice(0, from), ...items];
  if (!keys) return value;
  return { ...before, ...Object.fromEntries(Object.entries(keys).map(([key, change]) => [key, changed(before[key], change)])) };
}

// Calls `show` with the data known in advance under a name, if it follows the data on the screen.
function showInAdvance(root, name, show) {
  const { change, counts } = window.inAdvance?.[name] ?? {};
  if (!change || Object.entries(counts).some(([count, value]) => root.data[count] !== value)) return;
  root.predicted = changed(root.data, change);
  show(root, root.predicted);
}

// Whether the app's data is to be drawn: not while it is older than `root.predicted`, nor if it is the same. `count` names
// the number that the app increments with every answer.
function isNews(root, data, count) {
  const { predicted } = root;
  if (!predicted) return true;
  if (data[count] < predicted[count]) return false;
  delete root.predicted;
  return JSON.stringify(data) !== JSON.stringify({ ...predicted, dark: data.dark });
}
