// What a learner has done of the course, in their own browser: {lesson: [steps]}.

const SHELF = "course";

const merged = (one, other) => {
  const all = {};
  for (const kept of [one, other])
    for (const [lesson, steps] of Object.entries(kept)) all[lesson] = [...new Set([...(all[lesson] ?? []), ...steps])].sort((a, b) => a - b);
  return all;
};

// Adds to what is kept; gives what the app does not know yet, or null.
function keep(known) {
  let old = {};
  try {
    old = JSON.parse(localStorage.getItem(SHELF)) ?? {};
    const all = merged(old, known);
    localStorage.setItem(SHELF, JSON.stringify(all));
    const fresh = Object.entries(all).some(([lesson, steps]) => steps.some((step) => !known[lesson]?.includes(step)));
    return fresh ? all : null;
  } catch {
    return null; // a browser that keeps nothing, or something else there
  }
}
