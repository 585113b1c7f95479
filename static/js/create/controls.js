// The options besides the pictures: read off the controls, and set on them.

import * as options from "../shared/options.js";
import { percent } from "../shared/percent.js";

const form = document.querySelector("#paint");
const moreOptions = document.querySelector("#more");
const { elements } = form;

const DEFAULTS = Object.fromEntries(options.controls.map((name) => [name, options.limits[name].default]));
const CONDITIONAL = ["steady", "quality", ...options.sizes]; // read where they count
const PLAIN = options.controls.filter((name) => !CONDITIONAL.includes(name));
const COLOR_CONTROLS = ["keep_colours", "keep_light"]; // turned on the preview itself
const PREVIEWED = ["strength", "match_colours", "style_scale", "network", "steady"];
const OPTION_LABELS = { size: (side) => `${side} px`, style_scale: (scale) => `${scale} times` };

export const isColorControl = ({ name }) => COLOR_CONTROLS.includes(name);
export const isPreviewed = ({ name }) => PREVIEWED.includes(name) || name.startsWith("weight-");
export const colorShares = () => ({ colours: Number(elements.keep_colours.value), light: Number(elements.keep_light.value) });

const isPrint = () => elements.size.value === "print";
const isLossy = () => options.formats.find(({ name }) => name === elements.format.value).lossy;

function printSize() {
  const [width, height, unit] = ["print_width", "print_height", "print_unit"].map((name) => elements[name].value);
  return width && height ? `${Number(width)}x${Number(height)}${unit}` : null;
}

/** A value as an option has it: a number, or a word. */
const valueOf = (name) => (typeof DEFAULTS[name] === "number" ? Number(elements[name].value) : elements[name].value);

/** By the options' names; one that has no effect is left out. */
export function read() {
  const chosen = {};
  for (const name of PLAIN) chosen[name] = valueOf(name);
  if (elements.steady.checked) chosen.steady = true;
  if (isLossy()) chosen.quality = valueOf("quality");
  return { ...chosen, ...readSizes() };
}

/** The options that decide the size of the result. */
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

/** The fields that are incomplete, each with what to do about it. */
export function missing() {
  return isPrint() && !printSize() ? [["print", options.sentences.incomplete_print]] : [];
}

// --- setting them ---

function setSelect(select, value) {
  const text = String(value);
  if (![...select.options].some((option) => option.value === text)) select.add(new Option(OPTION_LABELS[select.name](text), text));
  select.value = text;
}

/** The value may lie between the steps of a slider. */
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

/** Sets the controls that are named; each value is as an option has it. */
export function set(values) {
  for (const [name, value] of Object.entries(values)) {
    if (SETTERS[name]) SETTERS[name](value);
    else if (elements[name]?.type === "range" && name in DEFAULTS) setRange(elements[name], value);
    else if (name in DEFAULTS) elements[name].value = value;
  }
  show();
}

/** Sets all controls as an earlier picture was ordered; what its order leaves out has its default. */
export const restore = (values) => set({ ...DEFAULTS, ...values });

// --- what they say ---

const FORMATTERS = { strength: percent, keep_colours: percent, keep_light: percent, quality: String };

function showValue(name) {
  const text = FORMATTERS[name](elements[name].value);
  document.getElementById(`${name}-value`).textContent = text;
  elements[name].setAttribute("aria-valuetext", text);
}

function isTouched() {
  const values = { ...DEFAULTS, ...read() };
  return options.folded.some((name) => values[name] !== DEFAULTS[name]);
}

/** Opens what is folded away where something in it was set. */
export function show() {
  for (const name of Object.keys(FORMATTERS)) showValue(name);
  if (isTouched()) moreOptions.open = true;
}

form.addEventListener("input", ({ target }) => target.name in FORMATTERS && showValue(target.name));
