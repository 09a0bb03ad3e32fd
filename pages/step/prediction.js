// The answer to a click on Next, shown before the app gives it: next_step.py sends what is known in advance. It is shown if
// the move that was just made is the first after the data on the screen.
function showNextStep(root) {
  const { data } = root, { nextStep } = window;
  if (!nextStep?.change || nextStep.turn !== data.turn || nextStep.made !== data.made || root.waiting.length !== 1) return;
  root.predicted = changed(data, nextStep.change);
  show(root, root.predicted);
}
