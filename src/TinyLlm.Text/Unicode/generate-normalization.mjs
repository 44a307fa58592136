// Writes normalization.txt, the table that UnicodeForm reads, from what the JavaScript engine's own String.prototype.normalize does.
// Run: node generate-normalization.mjs > normalization.txt
//
// Lines, all numbers hexadecimal:
//   V <version>                   the Unicode version
//   D <code point> <sequence>     full canonical decomposition
//   K <code point> <sequence>     full compatibility decomposition, where it differs from the canonical one
//   P <first> <second> <composed> a pair that composes
//   C <first>-<last> <class>      combining class, where not 0
// Hangul syllables are left out: they are arithmetic.

const hex = (n) => n.toString(16).toUpperCase();
const points = (s) => [...s].map((c) => c.codePointAt(0));
const sequence = (s) => points(s).map(hex).join(' ');

// One mark of each combining class; only their order matters, and that it is the classes' own.
const classes = [
  [1, 0x334], [6, 0x16ff0], [7, 0x93c], [8, 0x3099], [9, 0x94d], [10, 0x5b0], [11, 0x5b1], [12, 0x5b2], [13, 0x5b3], [14, 0x5b4], [15, 0x5b5],
  [16, 0x5b6], [17, 0x5b7], [18, 0x5b8], [19, 0x5b9], [20, 0x5bb], [21, 0x5bc], [22, 0x5bd], [23, 0x5bf], [24, 0x5c1], [25, 0x5c2], [26, 0xfb1e],
  [27, 0x64b], [28, 0x64c], [29, 0x64d], [30, 0x64e], [31, 0x64f], [32, 0x650], [33, 0x651], [34, 0x652], [35, 0x670], [36, 0x711], [84, 0xc55],
  [91, 0xc56], [103, 0xe38], [107, 0xe48], [118, 0xeb8], [122, 0xec8], [129, 0xf71], [130, 0xf72], [132, 0xf74], [202, 0x327], [214, 0x1dce],
  [216, 0x31b], [218, 0x302a], [220, 0x323], [222, 0x59a], [224, 0x302e], [226, 0x1d16d], [228, 0x5ae], [230, 0x301], [232, 0x315], [233, 0x35c],
  [234, 0x35d], [240, 0x345],
];

// Whether normalization swaps two marks: their classes are not 0, and the first's is the higher.
const swaps = (first, second) => {
  const text = 'a' + String.fromCodePoint(first, second);
  return points(text.normalize('NFD')).at(-1) === first && first !== second;
};

const classOf = (point) => {
  if (!/\p{M}/u.test(String.fromCodePoint(point))) return 0;
  if (point !== 0x334 && !swaps(0x345, point) && !swaps(point, 0x334)) return 0;
  const found = classes.find(([, mark]) => !swaps(mark, point) && !swaps(point, mark));
  if (!found) throw new Error(`no class found for ${hex(point)}`);
  return found[0];
};

const lines = [`V ${process.versions.unicode}`];
let run = null;
for (let point = 0; point < 0x110000; point++) {
  if ((point >= 0xd800 && point < 0xe000) || (point >= 0xac00 && point < 0xd7a4)) continue;
  const text = String.fromCodePoint(point);
  const canonical = text.normalize('NFD');
  const compatible = text.normalize('NFKD');
  if (canonical !== text) lines.push(`D ${hex(point)} ${sequence(canonical)}`);
  if (compatible !== canonical) lines.push(`K ${hex(point)} ${sequence(compatible)}`);
  if (canonical !== text && text.normalize('NFC') === text) {
    const parts = points(canonical);
    const first = points(String.fromCodePoint(...parts.slice(0, -1)).normalize('NFC'));
    if (first.length !== 1) throw new Error(`${hex(point)} composes from more than a pair`);
    lines.push(`P ${hex(first[0])} ${hex(parts.at(-1))} ${hex(point)}`);
  }
  const combining = canonical === text ? classOf(point) : 0;
  if (run && run.combining === combining && run.last === point - 1) run.last = point;
  else {
    if (run?.combining) lines.push(`C ${hex(run.first)}-${hex(run.last)} ${hex(run.combining)}`);
    run = { first: point, last: point, combining };
  }
}
if (run?.combining) lines.push(`C ${hex(run.first)}-${hex(run.last)} ${hex(run.combining)}`);
console.log(lines.join('\n'));
