// All that is asked for besides the pictures: read off the controls, and set on them.

const form = document.querySelector("#paint");
const moreOptions = document.querySelector("#more");
const { elements } = form;

const NUMBERS = ["strength", "style_scale", "keep_colours", "keep_light"];
const WORDS = ["match_colours", "format"];
const COLOR_CONTROLS = ["keep_colours", "keep_light"]; // turned on the preview itself
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
const OPTION_LABELS = { size: (side) => `${side} px`, style_scale: (scale) => `${scale} times` };

export const isColorControl = ({ name }) => COLOR_CONTROLS.includes(name);
export const isPreviewed = ({ name }) => PREVIEWED.includes(name) || name.startsWith("weight-");
export const colorShares = () => ({ colours: Number(elements.keep_colours.value), light: Number(elements.keep_light.value) });

const isPrint = () => elements.size.value === "print";
const isLossy = () => ["jpeg", "webp"].includes(elements.format.value);

function printSize() {
  const [width, height, unit] = ["print_width", "print_height", "print_unit"].map((name) => elements[name].value);
  return width && height ? `${Number(width)}x${Number(height)}${unit}` : null;
}

/** By the options' names; what is left out is as if it were not there. */
export function read() {
  const chosen = {};
  for (const name of NUMBERS) chosen[name] = Number(elements[name].value);
  for (const name of WORDS) chosen[name] = elements[name].value;
  if (elements.steady.checked) chosen.steady = true;
  if (isLossy()) chosen.quality = Number(elements.quality.value);
  return { ...chosen, ...readSizes() };
}

/** What the size of the result hangs on. */
export function readSizes() {
  const chosen = {};
  if (!isPrint()) chosen.size = elements.size.value;
  else if (printSize()) chosen.print = printSize();
  if (elements.dpi.value) chosen.dpi = elements.dpi.value;
  return chosen;
}

function toFormData(values) {
  const data = new FormData();
  for (const [name, value] of Object.entries(values)) data.append(name, value === true ? "yes" : value);
  return data;
}

export const formData = () => toFormData(read());

export function previewFormData(side) {
  const { size, print, dpi, quality, keep_colours, keep_light, ...seen } = read();
  return toFormData({ ...seen, size: side, format: "jpeg" });
}

/** The fields that lack something, each with what to do about it. */
export function missing() {
  return isPrint() && !printSize() ? [["print", "Say how wide and how high the print is to be."]] : [];
}

// --- setting them ---

function setSelect(select, value) {
  const text = String(value);
  if (![...select.options].some((option) => option.value === text)) select.add(new Option(OPTION_LABELS[select.name](text), text));
  select.value = text;
}

/** Also between the steps of a slider. */
function setRange(range, value) {
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
  size: (side) => setSelect(elements.size, side ?? "own"),
  print: (text) => text && setPrint(text),
  dpi: (dpi) => (elements.dpi.value = dpi ?? ""),
  style_scale: (scale) => setSelect(elements.style_scale, Number(scale)),
};

/** The controls that are named; each value as an option has it. */
export function set(values) {
  for (const [name, value] of Object.entries(values)) {
    if (SETTERS[name]) SETTERS[name](value);
    else if (elements[name]?.type === "range" && name in DEFAULTS) setRange(elements[name], value);
    else if (name in DEFAULTS) elements[name].value = value;
  }
  show();
}

/** As an earlier picture was asked for; what is not said there is as it is when nobody touches it. */
export const restore = (values) => set({ ...DEFAULTS, ...values });

// --- what they say ---

const percent = (value) => `${Math.round(100 * value)} %`;
const FORMATTERS = { strength: percent, keep_colours: percent, keep_light: percent, quality: String };

function showValue(name) {
  const text = FORMATTERS[name](elements[name].value);
  document.getElementById(`${name}-value`).textContent = text;
  elements[name].setAttribute("aria-valuetext", text);
}

function isTouched() {
  const { match_colours, style_scale, steady, keep_colours, keep_light, quality } = { ...DEFAULTS, ...read() };
  const now = { match_colours, style_scale, steady, keep_colours, keep_light, quality };
  return Object.entries(now).some(([name, value]) => value !== DEFAULTS[name]);
}

/** Also opens what is folded away, where something in it was set. */
export function show() {
  for (const name of Object.keys(FORMATTERS)) showValue(name);
  if (isTouched()) moreOptions.open = true;
}

form.addEventListener("input", ({ target }) => target.name in FORMATTERS && showValue(target.name));
