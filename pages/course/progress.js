// Progress in the course, saved in the browser's localStorage: {lesson: [stages done]}.

const STORAGE_KEY = "course";

const mergeProgress = (first, second) => {
  const all = {};
  for (const progress of [first, second])
    for (const [lesson, steps] of Object.entries(progress)) all[lesson] = [...new Set([...(all[lesson] ?? []), ...steps])].sort((a, b) => a - b);
  return all;
};

let told = ""; // what the app knew when it was told of more: it ignores invalid entries, and is not told again

// Merges the app's progress into the saved one. Returns the result where the app lacks some of it, else null.
function syncProgress(known) {
  let saved = {};
  try {
    saved = JSON.parse(localStorage.getItem(STORAGE_KEY)) ?? {};
    const all = mergeProgress(saved, known);
    localStorage.setItem(STORAGE_KEY, JSON.stringify(all));
    const isNew = Object.entries(all).some(([lesson, steps]) => steps.some((step) => !known[lesson]?.includes(step)));
    if (!isNew || told === JSON.stringify(known)) return null;
    told = JSON.stringify(known);
    return all;
  } catch {
    return null; // no localStorage, or an invalid entry
  }
}
