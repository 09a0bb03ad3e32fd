// Two buttons in the top bar: light or dark, and presentation mode; in presentation mode one that leaves it. `data` is
// described in display.py.

const CIRCLE = "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14z";
const ICONS = {
  system: [CIRCLE, "M10 5.5v9a4.5 4.5 0 0 0 0-9z"],
  light: ["M10 6.5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7z", "M10 1.5v2M10 16.5v2M1.5 10h2M16.5 10h2M4 4l1.4 1.4M14.6 14.6 16 16M16 4l-1.4 1.4M5.4 14.6 4 16"],
  dark: ["M16.5 12.2A7 7 0 1 1 7.8 3.5a5.6 5.6 0 0 0 8.7 8.7z"],
  present: ["M2.5 3.5h15v9.5h-15z", "M10 13v3.5M6.5 17h7"],
  leave: ["M5 5l10 10M15 5 5 15"],
};
const SCHEMES = ["system", "light", "dark"];

function iconButton(name, label, act) {
  const button = makeButton(name, undefined, act);
  const icon = svg("svg", { viewBox: "0 0 20 20", "aria-hidden": true });
  icon.append(...ICONS[name].map((d) => svg("path", { d })));
  button.append(icon);
  button.title = label;
  button.setAttribute("aria-label", label);
  return button;
}

// The next of the three schemes; absent where a link demands one, or where the app is served without its start page.
function schemeButton(root, data) {
  const scheme = window.colorScheme;
  if (!scheme || scheme.demanded) return [];
  const button = iconButton(scheme.chosen, data.labels[scheme.chosen], () => {
    scheme.choose(SCHEMES[(SCHEMES.indexOf(scheme.chosen) + 1) % SCHEMES.length]);
    draw(root, data);
  });
  button.dataset.keep = "scheme";
  return [button];
}

function draw(root, data) {
  const name = presenting() ? "leave" : "present";
  const mode = iconButton(name, data.labels[name], () => present(!presenting()));
  mode.dataset.keep = "mode";
  const buttons = data.menu ? schemeButton(root, data) : presenting() ? [mode] : [...schemeButton(root, data), mode];
  if (data.menu) for (const button of buttons) button.append(el("span", "", button.title));
  keepPlace(root, () => root.replaceChildren(...buttons));
}

export default function (component) {
  const { data } = component;
  const root = rootOf(component);
  root.classList.toggle("menu", data.menu);
  if (!data.menu) resume();
  draw(root, data);
  onResize(root, () => draw(root, data));
  if (!data.menu) listenForPresenter(root);
}
