// Scrolls what a lesson's step speaks of into the part of the window that nothing covers. Selectors: see places.py.

const WIDE = matchMedia("(min-width: 1100px)"); // the sheet is beside the page
const MARGIN = 20; // pixels above what is scrolled to
const ENOUGH = 200; // pixels of something high that have to be seen
// What lies over the page, and moves with the button that opened it.
const OVERLAYS = "[data-testid=stPopoverBody], [role=dialog], [role=listbox]";

function matches(selector) {
  const [outside, inside] = selector.split(" >>> ");
  const [, host, part] = outside.match(/^(.*)::part\((\w+)\)$/) ?? [];
  const within = host ? `[part=${part}]` : inside;
  if (!within) return [...document.querySelectorAll(outside)];
  return [...(document.querySelector(host ?? outside)?.shadowRoot?.querySelectorAll(within) ?? [])];
}

// Lower end of the part of the window that is not covered.
const floor = (sheet) => (WIDE.matches ? innerHeight : sheet.querySelector(".foot").getBoundingClientRect().top);

// Of an element: the stretch that has to be seen, from `top` to `bottom`.
function stretch(element, end) {
  const { top, bottom } = element.getBoundingClientRect();
  return end ? { top: Math.max(top, bottom - ENOUGH), bottom } : { top, bottom: Math.min(bottom, top + ENOUGH) };
}

const isSeen = ({ top, bottom }, low) => top >= 0 && bottom <= low;

// The stretches to be seen together: of the first selector, and of those after it for which there is room.
function wanted({ see, end, press }, low) {
  const selectors = [...see.slice(0, 1), ...(WIDE.matches && press ? [press] : []), ...see.slice(1)];
  let all = null;
  selectors.forEach((selector, i) => {
    const found = matches(selector).filter((node) => node.getClientRects().length);
    if (!found.length) return;
    const stretches = found.map((node) => stretch(node, end && i === 0));
    const one = stretches.find((each) => isSeen(each, low)) ?? stretches[0];
    const both = all ? { top: Math.min(all.top, one.top), bottom: Math.max(all.bottom, one.bottom) } : one;
    if (!all || both.bottom - both.top <= low - 2 * MARGIN) all = both;
  });
  return all;
}

// A row of controls that scrolls sideways is scrolled to the one that is needed.
function bringSideways({ see }) {
  for (const selector of see) {
    const node = matches(selector)[0];
    const row = node?.closest(".st-key-settings");
    if (!row || row.scrollWidth <= row.clientWidth) continue;
    const [box, frame] = [node.getBoundingClientRect(), row.getBoundingClientRect()];
    if (box.left < frame.left || box.right > frame.right) row.scrollLeft += box.left - frame.left - MARGIN;
  }
}

// Waits until the page has been drawn and is still, then scrolls; again if the page moves within two seconds. `arrived`
// is called once, when it is in sight or cannot be. Ends when the visitor scrolls. A press stops the motion, so that what
// is pressed stays where it is; while a menu is open nothing is scrolled.
function bringIntoSight(root, sheet, data, arrived) {
  root.stopBringing?.();
  let before = "", still = 0, scrolls = 0, scrolled = false, count = 0;
  const page = document.querySelector("[data-testid=stMain]");
  const halt = () => {
    page.scrollTo({ top: page.scrollTop, behavior: "instant" });
    still = 0;
  };
  const stop = () => {
    clearInterval(timer);
    for (const name of ["wheel", "touchmove"]) removeEventListener(name, stop, true);
    removeEventListener("pointerdown", halt, true);
  };
  const timer = setInterval(() => {
    if (!sheet().isConnected) return stop();
    if (document.querySelector(OVERLAYS)) return halt();
    if (++count > 100) return stop();
    const low = floor(sheet());
    const all = wanted(data(), low);
    const now = all ? `${Math.round(all.top)} ${Math.round(all.bottom)} ${low}` : "";
    still = now && now === before ? still + 1 : 0;
    before = now;
    if (still < 2) return;
    bringSideways(data());
    if (!isSeen(all, low) && scrolls < 3) {
      const by = data().end ? all.bottom - low + MARGIN : all.top - MARGIN;
      const behavior = reducedMotion() ? "auto" : "smooth";
      page.scrollBy({ top: by, behavior });
      scrolls++;
      still = 0;
    } else if (!scrolled) {
      scrolled = true;
      arrived();
    }
    if (still > 20) stop();
  }, 100);
  root.stopBringing = stop;
  for (const name of ["wheel", "touchmove"]) addEventListener(name, stop, { capture: true, passive: true });
  addEventListener("pointerdown", halt, true);
}
