// What the pages of a classroom share: the key that the browser keeps, and the wait for changes in the room.

const KEPT = "next-token classroom";

// What this browser keeps: { role, code, key } of one room. `value` replaces it, null removes it. null where nothing is
// kept or storage is blocked. Not the tab alone: a phone closes tabs while it sleeps.
function kept(value) {
  try {
    if (value === null) localStorage.removeItem(KEPT);
    else if (value) localStorage.setItem(KEPT, JSON.stringify(value));
    return JSON.parse(localStorage.getItem(KEPT));
  } catch {
    return null;
  }
}

// A button that acts at its second press within a few seconds; between them it shows `sure`.
function twice(name, text, sure, act) {
  const button = makeButton(name, text, () => {
    if (button.dataset.sure) return act();
    button.dataset.sure = "1";
    button.textContent = sure;
    setTimeout(() => {
      delete button.dataset.sure;
      button.textContent = text;
    }, 4000);
  });
  return button;
}

const pause = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

// Until the room has another version than `room` = { channel, part, version }: true. Where the server has no such
// address (it was started without the app's middleware), after a few seconds. Throws where it cannot be reached.
async function roomChanged({ channel, part, version }, signal) {
  const address = new URL(`_classroom/updates?${new URLSearchParams({ channel, part, after: version })}`, location.href);
  const since = performance.now();
  const answer = await fetch(address, { signal, cache: "no-store" });
  const told = answer.headers.get("content-type")?.startsWith("application/json") ? await answer.json() : undefined;
  const changed = !told || Boolean(told.gone) || told.version > version;
  if (!told) await pause(3);
  else if (!changed && performance.now() - since < 1000) await pause(3); // a server with too many requests answers at once
  return changed;
}

// Reports `changed` whenever the room of the data, { channel, part, version }, has a newer version than what is drawn.
// Keeps on asking while the page is shown: a report is lost where the connection to the app is just being renewed.
async function watchRoom(component, root) {
  root.component = component;
  if (root.watching) return;
  root.watching = true;
  const room = () => root.component.data.room;
  while (root.isConnected) {
    const stop = new AbortController();
    const alive = setInterval(() => root.isConnected || stop.abort(), 1000);
    const { version } = room();
    try {
      if (await roomChanged(room(), stop.signal)) {
        root.component.setTriggerValue("changed", { version });
        for (let waited = 0; waited < 3 && root.isConnected && room().version === version; waited += 0.02) await pause(0.02);
      }
    } catch {
      await pause(1 + Math.random()); // a class that lost its network does not come back in one moment
    }
    clearInterval(alive);
  }
  root.watching = false;
}
