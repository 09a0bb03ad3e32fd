// Card of a token with the most probable alternatives at its position; a click on one selects it.
function drawCard(root, data, token, send) {
  const place = Number(token.dataset.place);
  const [logp, rank, others] = data.facts[place];
  const card = el("div", "card");
  const index = data.line[place];
  card.append(el("div", "head", data.nodes[index][1]));
  if (logp === null) {
    card.append(el("p", "note", data.labels.first));
  } else {
    card.append(el("p", "note", data.labels.rank.replace("{p}", percent(data, Math.exp(logp))).replace("{rank}", rank.toLocaleString("en"))));
    for (const [id, text, p] of others) {
      const row = el("button", "other");
      row.type = "button";
      row.append(el("span", "word", text), el("span", "bar"), el("span", "value", percent(data, p)));
      row.children[1].style.setProperty("--p", p);
      if (text === data.nodes[index][1]) row.classList.add("same");
      row.onclick = () => send("pick", { turn: data.turn, after: data.nodes[index][0], token: id });
      card.append(row);
    }
  }
  const box = token.getBoundingClientRect();
  const home = root.getBoundingClientRect();
  const scale = scaleOf(root);
  card.style.top = `${(box.bottom - home.top) / scale + 6}px`;
  card.style.left = `${Math.max(0, Math.min((box.left - home.left) / scale, root.offsetWidth - 250))}px`;
  root.append(card);
  return card;
}

// Opens a token's card after the pointer rests on it, or with the down key. Escape closes it.
function listenForRest(root, strip, data, setTriggerValue) {
  let card, timer;
  const hide = () => {
    clearTimeout(timer);
    const open = card;
    card = undefined; // before remove(), whose focusout event calls hide() again
    open?.remove();
  };
  const show = (token) => {
    hide();
    if (!strip.isConnected) return;
    card = drawCard(root, data, token, (name, value) => {
      hide();
      setTriggerValue(name, value);
    });
    card.onpointerleave = hide;
    card.onpointerenter = () => clearTimeout(timer);
    card.onkeydown = (event) => {
      const rows = [...card.querySelectorAll("button")];
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) rows[(rows.indexOf(event.target) + step + rows.length) % rows.length].focus();
      else if (event.key === "Escape") token.focus();
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    card.addEventListener("focusout", (event) => card?.contains(event.relatedTarget) || hide());
  };
  strip.onpointerover = (event) => {
    const token = event.target.closest(".t");
    if (!token || event.pointerType === "touch" || !pointerMoved(root, event)) return;
    clearTimeout(timer);
    timer = setTimeout(() => show(token), 300);
  };
  strip.onpointerout = () => {
    clearTimeout(timer);
    timer = setTimeout(hide, 250);
  };
  strip.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && card) {
      hide();
      event.stopPropagation();
    }
    if (event.key !== "ArrowDown" || !event.target.matches(".t")) return;
    event.preventDefault();
    event.stopPropagation();
    show(event.target);
    card.querySelector("button")?.focus();
  });
}
