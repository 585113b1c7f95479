// All that is asked for besides the pictures: read off the controls, and set on them.

const form = document.querySelector("#paint");
const more = document.querySelector("#more");
const { elements } = form;

const NUMBERS = ["strength", "style_scale", "keep_colours", "keep_light"];
const WORDS = ["match_colours", "format"];
const DIALS = ["keep_colours", "keep_light"]; // turned on the preview itself
const PREVIEWED = ["strength", "match_colours", "style_scale", "steady"];
const DEFAULTS = {
  strength: 1,
  steady: false,
  style_scale: 1,
  size: "own",
  print: null,
  dpi: null,
  keep_colours: 0,
  keep_light: 0,
  match_colours: "none",
  format: "png",
  quality: 92,
};
const TOLD = { size: (side) => `${side} px`, style_scale: (scale) => `${scale} times` };

export const isDial = ({ name }) => DIALS.includes(name);
export const isPreviewed = ({ name }) => PREVIEWED.includes(name) || name.startsWith("weight-");
export const kept = () => ({ colours: Number(elements.keep_colours.value), light: Number(elements.keep_light.value) });

const isPrint = () => elements.size.value === "print";
const isLossy = () => ["jpeg", "webp"].includes(elements.format.value);

function print() {
  const [width, height, unit] = ["print_width", "print_height", "print_unit"].map((name) => elements[name].value);
  return width && height ? `${Number(width)}x${Number(height)}${unit}` : null;
}

/** By the options' names; what is left out is as if it were not there. */
export function controls() {
  const said = {};
  for (const name of NUMBERS) said[name] = Number(elements[name].value);
  for (const name of WORDS) said[name] = elements[name].value;
  if (elements.steady.checked) said.steady = true;
  if (isLossy()) said.quality = Number(elements.quality.value);
  return { ...said, ...sizes() };
}

/** What the size of the result hangs on. */
export function sizes() {
  const said = {};
  if (!isPrint()) said.size = elements.size.value;
  else if (print()) said.print = print();
  if (elements.dpi.value) said.dpi = elements.dpi.value;
  return said;
}

function body(values) {
  const made = new FormData();
  for (const [name, value] of Object.entries(values)) made.append(name, value === true ? "yes" : value);
  return made;
}

export const asked = () => body(controls());

export function askedOfPreview(side) {
  const { size, print, dpi, quality, keep_colours, keep_light, ...seen } = controls();
  return body({ ...seen, size: side, format: "jpeg" });
}

/** The fields that lack something, each with what to do about it. */
export function missing() {
  return isPrint() && !print() ? [["print", "Say how wide and how high the print is to be."]] : [];
}

// --- setting them ---

function choose(select, value) {
  const text = String(value);
  if (![...select.options].some((option) => option.value === text)) select.add(new Option(TOLD[select.name](text), text));
  select.value = text;
}

/** Also between the steps of a slider. */
function turn(range, value) {
  if (Math.abs(value / range.step - Math.round(value / range.step)) > 1e-9) range.step = "any";
  range.value = value;
}

function setPrint(text) {
  const [, width, height, unit] = text.match(/^([\d.]+)x([\d.]+)(\w+)$/);
  for (const [name, value] of Object.entries({ width, height, unit })) elements[`print_${name}`].value = value;
  elements.size.value = "print";
}

const SETTERS = {
  steady: (on) => (elements.steady.checked = on === true || on === "yes"),
  size: (side) => choose(elements.size, side ?? "own"),
  print: (text) => text && setPrint(text),
  dpi: (dpi) => (elements.dpi.value = dpi ?? ""),
  style_scale: (scale) => choose(elements.style_scale, Number(scale)),
};

/** The controls that are named; each value as an option has it. */
export function set(values) {
  for (const [name, value] of Object.entries(values)) {
    if (SETTERS[name]) SETTERS[name](value);
    else if (elements[name]?.type === "range" && name in DEFAULTS) turn(elements[name], value);
    else if (name in DEFAULTS) elements[name].value = value;
  }
  show();
}

/** As an earlier picture was asked for; what is not said there is as it is when nobody touches it. */
export const restore = (values) => set({ ...DEFAULTS, ...values });

// --- what they say ---

const percent = (value) => `${Math.round(100 * value)} %`;
const VALUES = { strength: percent, keep_colours: percent, keep_light: percent, quality: String };

function showValue(name) {
  const text = VALUES[name](elements[name].value);
  document.getElementById(`${name}-value`).textContent = text;
  elements[name].setAttribute("aria-valuetext", text);
}

function isTouched() {
  const { match_colours, style_scale, steady, keep_colours, keep_light, quality } = { ...DEFAULTS, ...controls() };
  const now = { match_colours, style_scale, steady, keep_colours, keep_light, quality };
  return Object.entries(now).some(([name, value]) => value !== DEFAULTS[name]);
}

/** Also opens what is folded away, where something in it was set. */
export function show() {
  for (const name of Object.keys(VALUES)) showValue(name);
  if (isTouched()) more.open = true;
}

form.addEventListener("input", ({ target }) => target.name in VALUES && showValue(target.name));
