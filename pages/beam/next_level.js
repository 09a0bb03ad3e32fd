// The tree with the next level, which next_level.py sends in advance, for tree.js to find.
export default function ({ data }) {
  window.nextLevel = data;
}
