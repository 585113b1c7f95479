// How a refinement's losses fall: in words, and as curves over its steps on a logarithmic scale. Without this script
// the words of the page are there.

const SERIES = ["content", "loss", "style"]; // the last one is drawn on top
const MARGIN = { left: 46, right: 10, top: 10, bottom: 22 };
const HEIGHT = 190;
const figure = document.querySelector("#losses");
const svg = figure?.querySelector("svg");
let shown = { losses: [], steps: 0 };

/** losses: [{step, loss, content, style, variation}, …]; steps: how many there will be. */
export function showLosses(losses, steps) {
  shown = { losses, steps };
  figure.hidden = !losses.length;
  svg.toggleAttribute("hidden", !losses.length);
  SERIES.forEach((name) => showChange(name, losses.map((row) => row[name])));
  draw();
}

function showChange(name, values) {
  const output = figure.querySelector(`[data-loss="${name}"]`);
  const ends = values.length > 1 ? [values[0], values.at(-1)] : values;
  output.textContent = ends.map(formatLoss).join(" → ");
  output.parentElement.hidden = !values.some(Boolean);
}

const formatLoss = (value) => value.toLocaleString("en", { maximumSignificantDigits: 2 });

function draw() {
  const { losses, steps } = shown;
  const width = svg.clientWidth;
  const values = losses.flatMap((row) => SERIES.map((name) => row[name])).filter((value) => value > 0);
  if (!width || !values.length) return svg.replaceChildren();
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = linear(0, Math.max(steps, losses.at(-1).step), MARGIN.left, width - MARGIN.right);
  const y = logarithmic(low / 1.1, high * 1.1, HEIGHT - MARGIN.bottom, MARGIN.top);
  svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  svg.replaceChildren(
    ...levels(low / 1.1, high * 1.1).flatMap((level) => rule(level, y(level), width)),
    ...[0, x.end].map((step) => mark(step, x(step))),
    ...SERIES.flatMap((name) => curve(name, losses, x, y)),
  );
}

function linear(start, end, from, to) {
  return Object.assign((value) => from + ((value - start) / (end - start)) * (to - from), { end });
}

function logarithmic(start, end, from, to) {
  const scale = linear(Math.log(start), Math.log(end), from, to);
  return (value) => scale(Math.log(value));
}

/** Round numbers between two losses: powers of ten, or where these are too few also their halves and fifths. */
function levels(low, high) {
  const between = (steps) => {
    const all = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
      all.push(...steps.map((step) => Number(`${step}e${power}`)));
    return all.filter((level) => level >= low && level <= high);
  };
  const finer = [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 6, 8]].map(between);
  return finer.find((marks) => marks.length > 2) ?? finer.at(-1);
}

function rule(level, y, width) {
  return [
    element("line", { class: "losses-rule", x1: MARGIN.left, x2: width - MARGIN.right, y1: y, y2: y }),
    element("text", { class: "losses-tick", x: MARGIN.left - 8, y: y + 4, "text-anchor": "end" }, formatLoss(level)),
  ];
}

function mark(step, x) {
  const place = step ? { x: x + MARGIN.right - 1, "text-anchor": "end" } : { x, "text-anchor": "start" };
  return element("text", { class: "losses-tick", y: HEIGHT - 4, ...place }, step ? `step ${step}` : "0");
}

/** A line, and a dot where it has come to. What is not above 0 has no place on the scale. */
function curve(name, losses, x, y) {
  const points = losses.filter((row) => row[name] > 0).map((row) => [x(row.step), y(row[name])]);
  if (!points.length) return [];
  const [cx, cy] = points.at(-1);
  return [
    element("polyline", { class: `losses-line loss-${name}`, points: points.map((point) => point.join()).join(" ") }),
    element("circle", { class: `losses-now loss-${name}`, cx, cy, r: 3.5 }),
  ];
}

function element(kind, attributes, words = "") {
  const node = document.createElementNS("http://www.w3.org/2000/svg", kind);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.textContent = words;
  return node;
}

if (figure) {
  showLosses(JSON.parse(figure.dataset.losses), Number(figure.dataset.steps));
  new ResizeObserver(draw).observe(figure);
}
