// Attention matrices: indexing, decoding and drawing of the lower triangle, which is sent row by row.

// Number of entries before a row of the triangle; row t has t + 1.
const before = (row) => (row * (row + 1)) / 2;

const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

const color = (root, name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

// Canvas of side x side pixels, one per entry of the lower triangle; `share(at)` is the value of an entry, from 0 to 1.
function half(root, side, share) {
  const image = new ImageData(side, side);
  const [from, to] = [rgb(color(root, "paper")), rgb(color(root, "attention"))];
  for (let row = 0, at = 0; row < side; row++) {
    for (let column = 0; column <= row; column++, at++) {
      const deep = Math.sqrt(share(at)); // makes small values visible
      const pixel = 4 * (row * side + column);
      for (let c = 0; c < 3; c++) image.data[pixel + c] = from[c] + (to[c] - from[c]) * deep;
      image.data[pixel + 3] = 255;
    }
  }
  const small = document.createElement("canvas");
  small.width = small.height = side;
  small.getContext("2d").putImageData(image, 0, 0);
  return small;
}
