// Only parts of the photo: regions that are brushed on it. Later ones in the list lie on top.
//
// For the page's other modules:
//   append(body, side)           adds mask, region_styles, region_strengths, feather and paint to a FormData, at once; masks
//                                have a long side of at most `side` pixels. Closed, or without a stroke: adds nothing
//   isUsed()                     whether append() adds anything
//   restore({ masks, options })  as an earlier picture had them: masks are addresses of pictures (data: too) or words;
//                                call it when its styles are chosen. Without masks there are no regions afterwards
// The form is told by an event "regions" when what append() adds is different.

import { setUpBrush } from "./brush.js";
import { drawScaled, hasTransparency, loadImage, haveSameProportions, naturalSize, fitWithin } from "../shared/canvas.js";
import * as photo from "../shared/photo.js";
import { clearError, showError } from "../shared/field-errors.js";
import { masks as maskLimits, limits } from "../shared/options.js";
import { Region, coverage } from "./region.js";
import * as styles from "../shared/style-picker.js";
import { setUpMaskOverlay } from "./mask-overlay.js";

const { side: MAX_SIDE, most: MAX_REGIONS, words: MASK_KEYWORDS } = maskLimits; // MAX_SIDE: pixels, a mask's long side
const byId = (...ids) => ids.map((id) => document.getElementById(id));
const [panel, summary, placeholder, brushing, canvas] = byId("regions", "regions-summary", "regions-placeholder", "brushing", "brush-canvas");
const [status, listPanel, notice, list, addButton] = byId("brush-status", "region-panel", "regions-notice", "region-list", "region-add");
const [brush, eraser, undo, redo] = byId("tool-brush", "tool-eraser", "brush-undo", "brush-redo");
const [clear, brushSize, file] = byId("brush-clear", "brush-size", "mask");
const form = document.querySelector("#paint");
const { feather, paint, strength } = form.elements;

let regions = [];
let chosen = null; // the one that is brushed
let shownBlob = null; // the photo's file that is shown
let photoCanvas = null; // its canvas, as large as the masks
let isTransparent = false; // whether parts of the photo are

const painted = () => regions.filter(({ isPainted }) => isPainted);
const usedRegions = () => (panel.open ? painted() : []);

// --- what is sent ---

/** Words stand before files on the server, and the small photo of a preview has no clear parts any more. */
function masksToSend(used, side) {
  const isWord = ({ mask: { word } }) => word === "everywhere" || (word === "alpha" && side === MAX_SIDE);
  const firstFile = used.findIndex((region) => !isWord(region));
  const words = firstFile < 0 ? used.length : firstFile;
  return used.map(({ mask, number }, at) => (at < words ? [mask.word] : [mask.png(side), `region-${number}.png`]));
}

export function append(body, side = MAX_SIDE) {
  const used = usedRegions();
  if (!used.length) return;
  for (const mask of masksToSend(used, side)) body.append("mask", ...mask);
  body.append("region_styles", used.map(({ styleNumber }) => styleNumber).join());
  body.append("region_strengths", used.map(({ ownStrength }) => ownStrength).join());
  body.append("feather", feather.value);
  body.append("paint", paint.value);
}

export const count = () => usedRegions().length;
export const isUsed = () => count() > 0;

const notifyForm = () => form.dispatchEvent(new Event("regions"));

// --- what is seen ---

const showOverlay = setUpMaskOverlay(canvas, () => ({
  photo: photoCanvas,
  feather: Number(feather.value),
  overlays: regions.map((region) => ({ mask: region.mask, colour: region.colour, isChosen: region === chosen })),
}));

function showSummary() {
  const count = painted().length;
  const words = count === 1 ? "1 region" : `${count} regions`;
  if (!count) summary.textContent = panel.open ? "nothing is brushed yet, so all of it is painted" : "the rest stays a photo";
  else summary.textContent = panel.open ? words : `off, so all of it is painted (${words} kept)`;
}

/** What is to stay cannot be said with several regions: each would paint over what another keeps. */
function showPaintMode() {
  const outside = paint.value === "outside";
  paint.querySelector("[value=outside]").disabled = regions.length > 1 && !outside;
  addButton.hidden = outside || regions.length >= MAX_REGIONS;
  document.querySelector("#region-order").hidden = regions.length < 2;
}

/** A button that can do no more would keep the keyboard to itself. */
function showUndoState() {
  const held = document.activeElement;
  undo.disabled = !chosen.mask.canUndo;
  redo.disabled = !chosen.mask.canRedo;
  clear.disabled = !chosen.isPainted;
  if ([undo, redo, clear].includes(held) && held.disabled) canvas.focus({ preventScroll: true });
}

function show() {
  if (!chosen) return;
  const count = regions.length;
  regions.forEach((region, place) => region.show({ isChosen: region === chosen, place, count, isTransparent }));
  showUndoState();
  showPaintMode();
  showSummary();
  showOverlay();
}

function showShare() {
  const place = regions.length > 1 ? `${chosen.title} covers` : "What you brushed covers";
  status.textContent = chosen.isPainted ? `${place} ${coverage(chosen.share)} of the picture.` : "Nothing is brushed here yet.";
}

function changed() {
  show();
  notifyForm();
}

/** After each step on the chosen mask. */
function maskChanged() {
  chosen.measure();
  clearError("mask");
  notice.hidden = true;
  showShare();
  changed();
}

function offerUndo(words, button, act) {
  notice.querySelector("span").textContent = words;
  const again = notice.querySelector("button");
  again.textContent = button;
  again.onclick = () => {
    notice.hidden = true;
    act();
    changed();
    showShare();
    canvas.focus();
  };
  notice.hidden = false;
}

// --- the list ---

function choose(region) {
  chosen = region;
  showShare();
  show();
}

function put(region, at = regions.length) {
  regions.splice(at, 0, region);
  list.insertBefore(region.row, list.children[at] ?? null);
}

function remove(region) {
  const at = regions.indexOf(region);
  regions.splice(at, 1);
  region.row.remove();
  choose(regions[Math.min(at, regions.length - 1)]);
  notifyForm();
  offerUndo(`${region.title} is removed.`, "Bring it back", () => {
    put(region, at);
    chosen = region;
  });
  chosen.at(".region-pick").focus();
}

function move(region, by) {
  const at = regions.indexOf(region);
  regions.splice(at, 1);
  put(region, at + by);
  changed();
  const [same, other] = by < 0 ? [".region-up", ".region-down"] : [".region-down", ".region-up"];
  region.at(region.at(same).disabled ? other : same).focus(); // moving the row has taken the focus away
}

function fill(region, word) {
  region.mask.fill(word, photoCanvas);
  maskChanged();
}

const browse = () => file.click();

function add() {
  const numbers = regions.map(({ number }) => number);
  const free = Array.from({ length: MAX_REGIONS }, (_, at) => at + 1).find((number) => !numbers.includes(number));
  const region = new Region(free, { choose, move, remove, fill, browse, changed });
  if (photoCanvas) region.mask.resize(photoCanvas);
  put(region);
  return region;
}

// --- the photo ---

/** False: the mask had other proportions. It is cleared, and that can be taken back. */
function fit(region) {
  const { mask, isPainted } = region;
  const fits = !isPainted || mask.word || haveSameProportions(mask.canvas, photoCanvas);
  const { word } = mask;
  mask.resize(photoCanvas);
  if (word === "everywhere" || (word && isTransparent)) mask.fill(word, photoCanvas);
  else if (word || !fits) mask.clear();
  region.measure();
  return fits;
}

function fitAll() {
  const lost = regions.filter((region) => !fit(region));
  if (!lost.length) return;
  offerUndo("This photo has other proportions, so what was brushed is cleared.", "Bring it back, stretched", () => {
    for (const region of lost) region.mask.undo();
    for (const region of lost) region.measure();
  });
}

function showNothing(words) {
  photoCanvas = null;
  brushing.hidden = listPanel.hidden = true;
  placeholder.textContent = words;
  placeholder.hidden = false;
}

function showPhoto(picture) {
  photoCanvas = picture;
  isTransparent = hasTransparency(picture);
  placeholder.hidden = notice.hidden = true;
  brushing.hidden = listPanel.hidden = false;
  document.querySelector("#brush-frame").style.setProperty("--ratio", picture.width / picture.height);
  if (!regions.length) chosen = add();
  fitAll();
  showShare();
  changed();
}

async function loadPhoto() {
  const blob = photo.current()?.blob ?? null;
  if (!panel.open || (blob && blob === shownBlob)) return;
  shownBlob = blob;
  if (!blob) return showNothing("Choose a photo first: then you can brush on it here.");
  const picture = await drawScaled(blob, MAX_SIDE).catch(() => null);
  if (blob !== shownBlob) return;
  if (picture) showPhoto(picture);
  else showNothing("This browser cannot show the photo, so it cannot be brushed on.");
}

// --- masks from elsewhere ---

function takePicture(picture) {
  const [own, whole] = [naturalSize(picture), naturalSize(document.querySelector("#photo"))];
  if (!haveSameProportions(own, photoCanvas)) {
    const sizes = `The mask is ${own.width} × ${own.height} and the photo ${whole.width} × ${whole.height}`;
    return showError("mask", `${sizes}: choose one in the photo’s proportions.`);
  }
  chosen.mask.take(picture);
  maskChanged();
}

async function takeFile() {
  const [mask] = file.files;
  if (!mask || !photoCanvas) return;
  const address = URL.createObjectURL(mask);
  try {
    takePicture(await loadImage(address));
  } catch {
    showError("mask", "This file is not a picture that the browser can show. Choose a PNG or a JPEG.");
  }
  URL.revokeObjectURL(address);
  file.value = ""; // the same one may be chosen once more
}

const numbers = (values) => (typeof values === "string" ? values.split(",") : (values ?? [])).map(Number);

/** One region of an earlier picture; its mask is fitted to the photo once that is there. */
function restoreRegion(mask, style, strength) {
  const region = add();
  if (MASK_KEYWORDS.includes(mask)) region.mask.word = mask;
  else {
    region.mask.resize(fitWithin(MAX_SIDE, naturalSize(mask)));
    region.mask.take(mask);
    region.measure();
  }
  Object.assign(region, { card: styles.chosen()[style - 1]?.card ?? null, strength: strength ?? null });
}

const loadMask = (mask) => (MASK_KEYWORDS.includes(mask) ? mask : loadImage(mask).catch(() => null));

export async function restore({ masks = [], options = {} }) {
  const pictures = await Promise.all(masks.map(loadMask));
  for (const { row } of regions) row.remove();
  regions = [];
  feather.value = options.feather ?? limits.feather.default;
  paint.value = options.paint ?? limits.paint.default;
  const [ofStyles, strengths] = [numbers(options.region_styles), numbers(options.region_strengths)];
  pictures.forEach((mask, at) => mask && restoreRegion(mask, ofStyles[at], strengths[at]));
  chosen = regions.at(-1) ?? null;
  shownBlob = null; // so that they are fitted to the photo
  panel.open = masks.length > 0;
  showControls();
  await loadPhoto();
  if (pictures.includes(null)) showError("mask", "A mask could not be fetched. Please brush it or add its file once more.");
}

// --- tools ---

function selectTool(tool) {
  for (const one of [brush, eraser]) one.setAttribute("aria-pressed", one === tool);
}

function showValue(range) {
  document.getElementById(`${range.id}-value`).textContent = `${range.value} %`;
  range.setAttribute("aria-valuetext", `${range.value} % of the long side`);
}

function showControls() {
  showValue(brushSize);
  showValue(feather);
}

const ring = setUpBrush(canvas, document.querySelector("#brush-ring"), {
  mask: () => chosen.mask,
  size: () => brushSize.value / 100,
  erases: () => eraser.getAttribute("aria-pressed") === "true",
  moved: showOverlay,
  done: maskChanged,
});

function resize(by) {
  brushSize.value = Number(brushSize.value) + by;
  showValue(brushSize);
  ring.resized();
}

function step(act) {
  if (!photoCanvas) return;
  act(chosen.mask);
  maskChanged();
}

function shortcut(event) {
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && (key === "z" || key === "y")) {
    event.preventDefault();
    step((mask) => (key === "y" || event.shiftKey ? mask.redo() : mask.undo()));
  } else if (key === "[" || key === "]") resize(key === "]" ? 2 : -2);
}

function toggled() {
  showSummary();
  loadPhoto();
  if (painted().length) notifyForm();
}

/** Styles and the main strength show in the list too. */
function follow() {
  loadPhoto();
  show();
}

/** Without this script the mask is a file's alone. */
function enableBrushing() {
  notice.after(document.querySelector("#mask-problems")); // the file is browsed for from the list now
  document.querySelector("#brush-size-field").hidden = false;
  for (const own of ["#mask-field", "#paint-hint"]) document.querySelector(own).hidden = true;
}

function listen() {
  for (const tool of [brush, eraser]) tool.addEventListener("click", () => selectTool(tool));
  undo.addEventListener("click", () => step((mask) => mask.undo()));
  redo.addEventListener("click", () => step((mask) => mask.redo()));
  clear.addEventListener("click", () => step((mask) => mask.clear()));
  addButton.addEventListener("click", () => {
    choose(add());
    chosen.at(".region-pick").focus();
  });
  brushSize.addEventListener("input", (event) => event.stopPropagation()); // is not asked for: no preview
  brushSize.addEventListener("input", () => resize(0));
  feather.addEventListener("input", showControls);
  feather.addEventListener("input", showOverlay);
  paint.addEventListener("change", show);
  file.addEventListener("change", takeFile);
  panel.addEventListener("keydown", shortcut);
  panel.addEventListener("toggle", toggled);
  strength.addEventListener("input", show);
  form.addEventListener("change", (event) => event.target.matches(".pick-box") && show());
  form.addEventListener("pictures", follow);
}

enableBrushing();
listen();
showControls();
toggled();
