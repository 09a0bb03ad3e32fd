// The stage after the next step, which next_step.py sends in advance, for the stage (prediction.js) to find.
export default function ({ data }) {
  window.nextStep = data;
}
