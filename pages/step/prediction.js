// The answer to a click on Next, shown before the app gives it: next_step.py describes what is known in advance.

// Shows the next step, if the move that was just made is the first after the data on the screen and its answer is known.
function showNextStep(root) {
  const { data } = root, { nextStep } = window;
  if (!nextStep?.change || nextStep.turn !== data.turn || nextStep.made !== data.made || root.waiting.length !== 1) return;
  root.predicted = changed(data, nextStep.change);
  show(root, root.predicted);
}

// Whether the app's data is to be drawn: not while it knows less than what is shown, nor if it is what is shown.
function isNews(root, data) {
  const { predicted } = root;
  if (!predicted) return true;
  if (data.made < predicted.made) return false;
  delete root.predicted;
  return JSON.stringify(data) !== JSON.stringify({ ...predicted, dark: data.dark });
}

// The opposite of `difference` in next_step.py.
function changed(before, { keys, from, items, value }) {
  if (items) return [...before.slice(0, from), ...items];
  if (!keys) return value;
  return { ...before, ...Object.fromEntries(Object.entries(keys).map(([key, change]) => [key, changed(before[key], change)])) };
}
