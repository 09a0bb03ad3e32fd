// A text as chips: `chip` makes one of a token's index, its label and its shade (they take turns). A character that
// fell into several tokens stands above them; a token that ends a line ends it here. `groups` is described in cut.py.
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
