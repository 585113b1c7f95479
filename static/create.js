// The create page: the photo, the gallery, the live preview, and the order. Without JavaScript the form is sent as it is.
//
// For the page's other modules (sheet.js):
//   order()            FormData of all that is asked for: options, photo, styles, regions
//   smallBody(side)    promise of FormData with photo and styles alone, both made small; no options, no weights
//   controls()         what the controls say, by the options' names: { strength, steady, style_scale, keep_colours, … }
//   setControls(some)  sets the controls named; `style`: one of styles.chosen(), which is then the only one chosen
//   submit()           as the button does: tells what is missing, else sends the order

import { painting } from "./colours.js";
import * as forecast from "./forecast.js";
import { isStyleFile } from "./kinds.js";
import * as more from "./more.js";
import * as photo from "./photo.js";
import * as pictures from "./pictures.js";
import { livePreview } from "./preview.js";
import { forgetAll, isTold, lead, tell } from "./problems.js";
import * as recipe from "./recipe.js";
import * as regions from "./regions.js";
import { post, reached } from "./server.js";
import { shrunk } from "./shrink.js";
import * as styles from "./styles.js";

const PREVIEW_SIDE = 384; // pixels
const STYLE_SIDE = 512;
const form = document.querySelector("#paint");
const [go, cancel, status, result] = ["#go", "#cancel", "#status", "#result"].map((id) => document.querySelector(id));
const previewStatus = document.querySelector("#preview-status");
let running = null; // AbortController of the picture that is painted while they wait
let key = null; // the same for the same order, so that one sent twice is painted once
let shown = null; // the preview as it was painted, before the colour dials

// --- what is asked for ---

export const { controls } = more;

export function order() {
  const body = more.asked();
  pictures.append(body);
  regions.append(body);
  return body;
}

async function small(style) {
  if (!style.painting || (await isStyleFile(style.painting))) return style;
  const blob = await shrunk(style.painting, STYLE_SIDE);
  return { ...style, painting: new File([blob], "painting.jpg", { type: blob.type }) };
}

async function appendSmall(body, side, { picture, chosen }) {
  const blob = await shrunk(picture.blob, side);
  pictures.append(body, { blob, name: "photo.jpg" }, await Promise.all(chosen.map(small)));
}

export async function smallBody(side) {
  const body = new FormData();
  await appendSmall(body, side, { picture: photo.theirs(), chosen: styles.chosen() });
  body.delete("weights");
  return body;
}

async function paintSmall(wish) {
  const body = more.askedOfPreview(PREVIEW_SIDE);
  await appendSmall(body, PREVIEW_SIDE, wish);
  regions.append(body, PREVIEW_SIDE);
  const answer = await post(form.dataset.stylize, body);
  return painting(await shrunk(wish.picture.blob, PREVIEW_SIDE), await reached(answer.blob()));
}

export function setControls({ style, ...values }) {
  if (style) styles.chooseOnly(style);
  more.set(values);
  changed();
}

// --- the live preview ---

const UNSHOWN = "This browser cannot show one of these files. The server may read it all the same.";
const isRefused = () => isTold("content") || isTold("style"); // then there is no more to be said of the files

function complain(error, again) {
  hidePreview();
  if (error.name === "InvalidStateError" || error.name === "EncodingError") {
    previewStatus.textContent = isRefused() ? "" : UNSHOWN;
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
async function mix() {
  again = true;
  if (mixing) return;
  mixing = true;
  try {
    while (again && shown) {
      again = false;
      const painted = shown;
      const picture = await painted(more.kept());
      if (shown === painted) photo.showPreview(picture);
    }
  } finally {
    mixing = false;
  }
}

const want = livePreview({
  paint: paintSmall,
  show(painted) {
    previewStatus.textContent = "";
    shown = painted;
    return mix();
  },
  complain,
  busy: photo.previewing,
});

const numbers = new WeakMap(); // photo or painting -> a number of its own
let counted = 0;

function numberOf(thing) {
  if (!numbers.has(thing)) numbers.set(thing, (counted += 1));
  return numbers.get(thing);
}

function changed() {
  key = null;
  foretell();
  const picture = photo.theirs();
  const chosen = styles.chosen();
  if (!picture || !chosen.length) {
    hidePreview();
    previewStatus.textContent = picture ? "Choose a style to see it on your photo." : "";
    return want(null);
  }
  previewStatus.textContent = photo.isPreviewed() ? "" : "A preview is on its way…";
  const subject = [picture.blob, ...chosen.map((style) => style.painting ?? style.id)];
  want({ picture, chosen, subject: subject.map((one) => (typeof one === "string" ? one : numberOf(one))).join() });
}

/** A control that the preview follows is sent for anew; what only the result has, is foretold. */
function turned({ target }) {
  key = null;
  if (more.isDial(target)) mix();
  else if (target.matches(".pick-box") || more.isPreviewed(target)) changed();
  else foretell();
}

function foretell() {
  forecast.follow(more.missing().length ? null : photo.size(), regions.count());
}

// --- painting it ---

function working(on, words = "") {
  go.disabled = on;
  status.textContent = words;
}

function freshKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function queue() {
  working(true, "Sending…");
  key ??= freshKey();
  const answer = await post(form.dataset.jobs, order(), { headers: { "Idempotency-Key": key } });
  const job = await reached(answer.json());
  key = null;
  location.assign(job.page);
}

function show(id, attribute, blob) {
  const element = document.getElementById(id);
  URL.revokeObjectURL(element[attribute]);
  element[attribute] = URL.createObjectURL(blob);
  return element;
}

const UNSEEN = "This browser cannot show this kind of file, but it is painted: download it";

/** What to do of a picture that does not show: no browser but Safari shows TIFF; all of them, the rest. */
function unseen({ type }) {
  return (error) => {
    if (type !== "image/tiff") throw error;
    return false;
  };
}

async function showPastiche(answer, before) {
  const blob = await reached(answer.blob());
  show("before", "src", before.blob);
  const after = show("after", "src", blob);
  const stem = before.name.replace(/\.[^.]*$/, "") || "photo";
  show("download", "href", blob).download = `${stem}-pastiche.${blob.type.replace("image/", "")}`;
  const isShown = await after.decode().then(() => true, unseen(blob));
  after.closest("figure").hidden = !isShown;
  const seconds = Number(answer.headers.get("X-Style-Seconds")).toFixed(1);
  const seen = isShown ? `${after.naturalWidth} × ${after.naturalHeight} pixels` : UNSEEN;
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

async function paintHere() {
  running = new AbortController();
  working(true, "Painting…");
  cancel.hidden = false;
  const before = photo.theirs(); // they may choose another meanwhile
  const clock = startClock();
  try {
    await showPastiche(await post(form.dataset.stylize, order(), { signal: running.signal }), before);
    working(false, "Painted.");
  } finally {
    clearInterval(clock);
    cancel.hidden = true;
  }
}

const TOO_LONG = "This is too large to be painted while you wait. Choose a smaller one, or let the server keep it.";

function explain(error) {
  working(false, error.name === "AbortError" ? "Cancelled." : "");
  if (error.name === "AbortError") return go.focus();
  if (error.code === "too_long") tell("size", TOO_LONG);
  else if (error.field) tell(error.field, error.message);
  else {
    tell("form", "This page could not show the picture. Please reload it and try again.");
    console.error(error);
  }
  if (isRefused()) previewStatus.textContent = "";
  lead(error.field ?? "form", go);
}

function complete() {
  const missing = [...pictures.missing(), ...more.missing()];
  for (const [field, message] of missing) tell(field, message);
  if (missing.length) lead(missing[0][0]);
  return !missing.length;
}

export function submit() {
  if (go.disabled) return;
  forgetAll();
  if (complete()) (form.elements.no_store.checked ? paintHere() : queue()).catch(explain);
}

// --- what was there before ---

/** Of an earlier picture, once its styles are chosen: it numbered them in an order of its own. */
async function restoreRegions({ masks, styles: ids, options }) {
  const paintings = styles.chosen().filter(({ painting }) => painting);
  const known = (id) => styles.chosen().find((style) => style.id === id);
  const cards = ids.map((id) => (id ? known(id) : paintings.shift())?.card);
  const region_styles = options.region_styles && styles.renumbered(options.region_styles, cards);
  await regions.restore({ masks, options: { ...options, region_styles } });
  changed();
}

function tellOfMasks() {
  tell("mask", "A mask could not be fetched. Please choose it once more, or reload the page.");
}

/** Also after Back, when the browser has filled in the form anew. */
function begin() {
  working(false);
  more.show();
  changed();
}

form.noValidate = true; // problems are told beside the fields instead
form.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
form.addEventListener("pictures", changed);
form.addEventListener("regions", changed);
form.addEventListener("measured", foretell);
form.addEventListener("input", (event) => ["range", "number"].includes(event.target.type) && turned(event));
form.addEventListener("change", (event) => event.target.type === "range" || turned(event));
pictures.lookFirst(recipe.offer);
if (form.dataset.regions) pictures.ready.then(() => restoreRegions(JSON.parse(form.dataset.regions)).catch(tellOfMasks));
cancel.addEventListener("click", () => running.abort());
window.addEventListener("pageshow", begin);
