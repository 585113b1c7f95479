// The create page: the photo, the gallery, the live preview, and the order. Without JavaScript the form is sent as it is.
//
// For the page's other modules (contact-sheet.js):
//   order()              FormData of all that is asked for: options, photo, styles, regions
//   smallFormData(side)  promise of FormData with photo and styles alone, both made small; no options, no weights
//   controlValues()      what the controls say, by the options' names: { strength, steady, style_scale, keep_colours, … }
//   setControls(some)    sets the controls named; `style`: one of styles.chosen(), which is then the only one chosen
//   submit()             as the button does: tells what is missing, else sends the order

import { colorMixer } from "./color.js";
import * as forecast from "./forecast.js";
import { isStyleFile } from "../shared/file-types.js";
import * as controls from "./controls.js";
import * as photo from "../shared/photo.js";
import * as pictures from "../shared/picture-inputs.js";
import { livePreview } from "./live-preview.js";
import { clearErrors, hasError, focusField, showError } from "../shared/field-errors.js";
import { formats, sentences } from "../shared/options.js";
import * as recipe from "./recipe.js";
import * as regions from "../regions/regions.js";
import { post, checkNetwork } from "../shared/http.js";
import { downscale } from "./downscale.js";
import * as styles from "../shared/style-picker.js";

const PREVIEW_SIDE = 640; // pixels: at which large pictures are painted first, so that the result looks the same
const STYLE_SIDE = 512;
const form = document.querySelector("#paint");
const [go, cancel, status, result] = ["#go", "#cancel", "#status", "#result"].map((id) => document.querySelector(id));
const previewStatus = document.querySelector("#preview-status");
let running = null; // AbortController of the picture that is painted while they wait
let idempotencyKey = null; // the same for the same order, so that one sent twice is painted once
let shown = null; // the preview as it was painted, before the colour dials

// --- what is asked for ---

export const controlValues = controls.read;

export function order() {
  const body = controls.formData();
  pictures.append(body);
  regions.append(body);
  return body;
}

async function smallStyle(style) {
  if (!style.painting || (await isStyleFile(style.painting))) return style;
  const blob = await downscale(style.painting, STYLE_SIDE);
  return { ...style, painting: new File([blob], "painting.jpg", { type: blob.type }) };
}

async function appendSmallPictures(body, side, { picture, chosen }) {
  const blob = await downscale(picture.blob, side);
  pictures.append(body, { blob, name: "photo.jpg" }, await Promise.all(chosen.map(smallStyle)));
}

export async function smallFormData(side) {
  const body = new FormData();
  await appendSmallPictures(body, side, { picture: photo.current(), chosen: styles.chosen() });
  body.delete("weights");
  return body;
}

async function paintPreview(request) {
  const body = controls.previewFormData(PREVIEW_SIDE);
  await appendSmallPictures(body, PREVIEW_SIDE, request);
  regions.append(body, PREVIEW_SIDE);
  const answer = await post(form.dataset.stylize, body);
  return colorMixer(await downscale(request.picture.blob, PREVIEW_SIDE), await checkNetwork(answer.blob()));
}

export function setControls({ style, ...values }) {
  if (style) styles.chooseOnly(style);
  controls.set(values);
  changed();
}

// --- the live preview ---

const CANNOT_SHOW_INPUT = "This browser cannot show one of these files. The server may read it all the same.";
const hasFileErrors = () => hasError("content") || hasError("style"); // then there is no more to be said of the files

function showPreviewError(error, again) {
  hidePreview();
  if (error.name === "InvalidStateError" || error.name === "EncodingError") {
    previewStatus.textContent = hasFileErrors() ? "" : CANNOT_SHOW_INPUT;
  } else if (error.status === 503 || error.status === 429) {
    previewStatus.textContent = "The server is busy. The preview will follow.";
    setTimeout(again, error.wait * 1000);
  } else {
    previewStatus.textContent = error.message;
  }
}

function hidePreview() {
  shown = null;
  photo.hidePreview();
}

let mixing = false;
let again = false; // a dial was turned meanwhile

/** The newest painting as the colour dials say: no request, they are turned after the fact. */
async function applyColorControls() {
  again = true;
  if (mixing) return;
  mixing = true;
  try {
    while (again && shown) {
      again = false;
      const painted = shown;
      const picture = await painted(controls.colorShares());
      if (shown === painted) photo.showPreview(picture);
    }
  } finally {
    mixing = false;
  }
}

const requestPreview = livePreview({
  paint: paintPreview,
  show(painted) {
    previewStatus.textContent = "";
    shown = painted;
    return applyColorControls();
  },
  complain: showPreviewError,
  busy: photo.setPreviewBusy,
});

const ids = new WeakMap(); // photo or painting -> a number of its own
let lastId = 0;

function idOf(thing) {
  if (!ids.has(thing)) ids.set(thing, (lastId += 1));
  return ids.get(thing);
}

function changed() {
  idempotencyKey = null;
  updateForecast();
  const picture = photo.current();
  const chosen = styles.chosen();
  if (!picture || !chosen.length) {
    hidePreview();
    previewStatus.textContent = picture ? "Choose a style to see it on your photo." : "";
    return requestPreview(null);
  }
  previewStatus.textContent = photo.isPreviewed() ? "" : "A preview is on its way…";
  const subject = [picture.blob, ...chosen.map((style) => style.painting ?? style.id)];
  requestPreview({ picture, chosen, subject: subject.map((one) => (typeof one === "string" ? one : idOf(one))).join() });
}

/** A control that the preview follows is sent for anew; what only the result has, is foretold. */
function controlChanged({ target }) {
  idempotencyKey = null;
  if (controls.isColorControl(target)) applyColorControls();
  else if (target.matches(".pick-box") || controls.isPreviewed(target)) changed();
  else updateForecast();
}

function updateForecast() {
  forecast.follow(controls.missing().length ? null : photo.size(), regions.count());
}

// --- painting it ---

function setBusy(on, words = "") {
  go.disabled = on;
  status.textContent = words;
}

function newIdempotencyKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function submitJob() {
  setBusy(true, "Sending…");
  idempotencyKey ??= newIdempotencyKey();
  const answer = await post(form.dataset.jobs, order(), { headers: { "Idempotency-Key": idempotencyKey } });
  const job = await checkNetwork(answer.json());
  idempotencyKey = null;
  location.assign(job.page);
}

function show(id, attribute, blob) {
  const element = document.getElementById(id);
  URL.revokeObjectURL(element[attribute]);
  element[attribute] = URL.createObjectURL(blob);
  return element;
}

const CANNOT_SHOW_RESULT = "This browser cannot show this kind of file, but it is painted: download it";

/** Whether a picture shows; one of a format that every browser shows is broken where it does not. */
async function isDisplayed(picture, { inBrowsers }) {
  try {
    await picture.decode();
  } catch (error) {
    if (inBrowsers) throw error;
    return false;
  }
  return true;
}

async function showPastiche(answer, before) {
  const blob = await checkNetwork(answer.blob());
  show("before", "src", before.blob);
  const after = show("after", "src", blob);
  const stem = before.name.replace(/\.[^.]*$/, "") || "photo";
  const format = formats.find(({ mediaType }) => mediaType === blob.type);
  show("download", "href", blob).download = `${stem}-pastiche.${format.name}`;
  const isShown = await isDisplayed(after, format);
  after.closest("figure").hidden = !isShown;
  const seconds = Number(answer.headers.get("X-Style-Seconds")).toFixed(1);
  const seen = isShown ? `${after.naturalWidth} × ${after.naturalHeight} pixels` : CANNOT_SHOW_RESULT;
  document.querySelector("#facts").textContent = `${seen} · ${seconds} s · not kept`;
  result.hidden = false;
  result.focus();
}

function startClock() {
  const start = Date.now();
  return setInterval(() => {
    const seconds = Math.round((Date.now() - start) / 1000);
    if (seconds % 5 === 0 && seconds) status.textContent = `Painting… ${seconds} s`; // seldom: it is read aloud
  }, 1000);
}

async function paintWithoutStoring() {
  running = new AbortController();
  setBusy(true, "Painting…");
  cancel.hidden = false;
  const before = photo.current(); // they may choose another meanwhile
  const clock = startClock();
  try {
    await showPastiche(await post(form.dataset.stylize, order(), { signal: running.signal }), before);
    setBusy(false, "Painted.");
  } finally {
    clearInterval(clock);
    cancel.hidden = true;
  }
}

function showSubmitError(error) {
  setBusy(false, error.name === "AbortError" ? "Cancelled." : "");
  if (error.name === "AbortError") return go.focus();
  if (error.code === "too_long") showError("size", sentences.too_long);
  else if (error.field) showError(error.field, error.message);
  else {
    showError("form", "This page could not show the picture. Please reload it and try again.");
    console.error(error);
  }
  if (hasFileErrors()) previewStatus.textContent = "";
  focusField(error.field ?? "form", go);
}

function checkComplete() {
  const missing = [...pictures.missing(), ...controls.missing()];
  for (const [field, message] of missing) showError(field, message);
  if (missing.length) focusField(missing[0][0]);
  return !missing.length;
}

export function submit() {
  if (go.disabled) return;
  clearErrors();
  if (checkComplete()) (form.elements.no_store.checked ? paintWithoutStoring() : submitJob()).catch(showSubmitError);
}

// --- what was there before ---

/** Of an earlier picture, once its styles are chosen: it numbered them in an order of its own. */
async function restoreRegions({ masks, styles: ids, options }) {
  const paintings = styles.chosen().filter(({ painting }) => painting);
  const known = (id) => styles.chosen().find((style) => style.id === id);
  const cards = ids.map((id) => (id ? known(id) : paintings.shift())?.card);
  const region_styles = options.region_styles && styles.renumber(options.region_styles, cards);
  await regions.restore({ masks, options: { ...options, region_styles } });
  changed();
}

function showMaskError() {
  showError("mask", "A mask could not be fetched. Please choose it once more, or reload the page.");
}

/** Also after Back, when the browser has filled in the form anew. */
function resetPage() {
  setBusy(false);
  controls.show();
  changed();
}

form.noValidate = true; // problems are told beside the fields instead
form.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
form.addEventListener("pictures", changed);
form.addEventListener("regions", changed);
form.addEventListener("measured", updateForecast);
form.addEventListener("input", (event) => ["range", "number"].includes(event.target.type) && controlChanged(event));
form.addEventListener("change", (event) => event.target.type === "range" || controlChanged(event));
pictures.setInspector(recipe.offer);
if (form.dataset.regions) pictures.ready.then(() => restoreRegions(JSON.parse(form.dataset.regions)).catch(showMaskError));
cancel.addEventListener("click", () => running.abort());
window.addEventListener("pageshow", resetPage);
