// Motion that explains a step: the chosen word goes from its bar into the text, the text is read again from left to
// right, the bars grow, shrink and change places, the mark of the draw falls on the ruler. It never delays a click: the
// page is complete before the motion begins, and the next drawing ends it.

const MOVE_MILLISECONDS = 250;

// Places and lengths before a drawing, and the place of the token that is being appended, for `animate`.
function positions(root) {
  const rows = new Map();
  for (const row of root.querySelectorAll(".row"))
    if (row.offsetParent) rows.set(row.dataset.token, { top: row.getBoundingClientRect().top, p: row.style.getPropertyValue("--p") });
  const token = root.picked ?? root.next; // by hand, or by the model
  const word = root.querySelector(`.row[data-token="${token}"] .word`)?.getBoundingClientRect();
  return { rows, word, cursor: root.cursor, place: root.place };
}

function animate(root, data, before) {
  if (reducedMotion() || document.hidden) return;
  const timing = { duration: data.running ? data.pace : MOVE_MILLISECONDS, easing: "ease-out" };
  for (const row of root.querySelectorAll(".row")) {
    const was = before.rows.get(row.dataset.token);
    const by = was ? was.top - row.getBoundingClientRect().top : 0;
    if (by) row.animate({ transform: [`translateY(${by}px)`, "none"] }, timing);
    if (!was) row.animate({ opacity: [0, 1] }, timing);
    const from = was?.p ?? 0, to = row.style.getPropertyValue("--p");
    if (from !== to) row.querySelector(".bar").animate({ width: [`${from * 100}%`, `${to * 100}%`] }, timing);
  }
  root.querySelector(".ruler .mark")?.animate({ transform: ["translate(-50%, -16px)", "translate(-50%, 0)"] }, timing);
  if (before.cursor === data.cursor || before.place >= root.place) return; // no token was appended
  const tokens = [...root.querySelectorAll(".strip .t:not(.beyond)")].slice(-60);
  tokens.forEach((token, i) => {
    const delay = (i / tokens.length) * timing.duration * 0.6;
    token.animate({ background: ["var(--reread)", "transparent"] }, { ...timing, duration: timing.duration * 0.8, delay });
  });
  if (before.word) fly(root, tokens.at(-1), before.word, timing);
}

// A copy of the chosen word on its way from its bar into the text.
function fly(root, token, from, timing) {
  const home = root.getBoundingClientRect(), to = token.getBoundingClientRect();
  const word = el("span", "flying", token.textContent);
  word.setAttribute("aria-hidden", "true");
  word.style.fontSize = getComputedStyle(token).fontSize;
  word.style.left = `${to.left - home.left}px`;
  word.style.top = `${to.top - home.top}px`;
  root.append(word);
  const start = `translate(${from.left - to.left}px, ${from.top - to.top}px)`;
  const flight = word.animate({ transform: [start, "none"], opacity: [1, 0.9] }, timing);
  flight.onfinish = flight.oncancel = () => word.remove();
}
