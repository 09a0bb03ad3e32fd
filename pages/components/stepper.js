// Buttons and a slider over the positions 0 to `last`. `move(at)` is called for each position shown, `rest(at)` for one
// that stays for half a second. labels: next, back, play, pause, slider, at ("{at} / {last}"); `name(at)` formats a
// position.
function stepper(labels, last, begin, move, rest, name = (at) => at) {
  const box = el("div", "stepper");
  const button = (word, kind) => {
    const made = el("button", kind, word);
    made.type = "button";
    return made;
  };
  const back = button("←", "back");
  back.setAttribute("aria-label", labels.back);
  back.title = labels.back;
  const next = button(labels.next, "next");
  const play = button(labels.play, "play");
  const slider = el("input");
  Object.assign(slider, { type: "range", min: 0, max: last, step: 1 });
  slider.setAttribute("aria-label", labels.slider);
  const where = el("span", "where");
  box.append(back, next, play, slider, where);
  let at, resting, playing;
  const show = (value) => {
    at = Math.max(0, Math.min(last, value));
    slider.value = at;
    slider.setAttribute("aria-valuetext", name(at));
    where.textContent = fill(labels.at, { at: name(at), last: name(last) });
    back.disabled = at === 0;
    next.disabled = at === last;
    play.disabled = last === 0;
    move(at);
  };
  const stop = () => {
    clearInterval(playing);
    playing = undefined;
    play.textContent = labels.play;
  };
  const go = (value) => {
    show(value);
    clearTimeout(resting);
    resting = setTimeout(() => box.isConnected && rest(at), 500);
  };
  back.onclick = () => (stop(), go(at - 1));
  next.onclick = () => (stop(), go(at + 1));
  slider.oninput = () => (stop(), go(Number(slider.value)));
  play.onclick = () => {
    if (playing) return stop();
    play.textContent = labels.pause;
    if (at === last) go(0);
    playing = setInterval(() => {
      if (!box.isConnected || at >= last) return stop();
      go(at + 1);
    }, Math.max(60, Math.min(650, 9000 / Math.max(1, last))));
  };
  show(begin);
  box.go = (value) => (stop(), go(value));
  return box;
}
