// Keeps the draft of an own lesson in the browser's localStorage; `data` is described in kept_draft.py.

const KEPT = "own lesson";

export default function ({ data, setTriggerValue, parentElement }) {
  const root = parentElement.querySelector(".root");
  try {
    if (data.lesson) return localStorage.setItem(KEPT, data.lesson);
    if (data.begun) return localStorage.removeItem(KEPT);
    const lesson = localStorage.getItem(KEPT);
    if (!lesson || root.told === lesson) return;
    root.told = lesson; // once: one that cannot be read stays unread
    setTriggerValue("found", { lesson });
  } catch {
    // no localStorage
  }
}
