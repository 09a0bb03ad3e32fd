// A text as token chips. `chip(index, label, shade)` creates one; shades alternate. A character that several tokens
// encode is drawn above them. A token that ends a line is followed by a line break. `groups`: see token_chips.py.
function drawGroups(groups, chip) {
  const box = el("div", "chips");
  for (const { whole, tokens } of groups) {
    const holder = whole === null ? box : el("span", "group");
    const parts = whole === null ? box : el("span", "parts");
    if (whole !== null) {
      const sign = el("span", "whole", whole);
      sign.dir = "auto";
      holder.append(sign, parts);
      box.append(holder);
    }
    for (const [index, label, endsLine] of tokens) {
      parts.append(chip(index, label, index % 2 ? "odd" : "even"));
      if (endsLine) box.append(el("span", "line"));
    }
  }
  return box;
}
