// The create page: the photo, the gallery, the live preview, and the order. Without JavaScript the form is sent as it is.

import * as photo from "./photo.js";
import * as pictures from "./pictures.js";
import { livePreview } from "./preview.js";
import { forgetAll, tell } from "./problems.js";
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

// --- what is asked for ---

function options(chosen) {
  const body = new FormData();
  for (const [name, value] of Object.entries(chosen)) body.append(name, value);
  body.append("strength", form.elements.strength.value);
  return body;
}

function order() {
  const body = options({ size: form.elements.size.value, format: form.elements.format.value });
  pictures.append(body);
  return body;
}

async function small(style) {
  if (!style.painting) return style;
  const blob = await shrunk(style.painting, STYLE_SIDE);
  return { ...style, painting: new File([blob], "painting.jpg", { type: blob.type }) };
}

async function paintSmall({ picture, chosen }) {
  const body = options({ size: PREVIEW_SIDE, format: "jpeg" });
  const blob = await shrunk(picture.blob, PREVIEW_SIDE);
  pictures.append(body, { blob, name: "photo.jpg" }, await Promise.all(chosen.map(small)));
  const answer = await post(form.dataset.stylize, body);
  return reached(answer.blob());
}

// --- the live preview ---

function complain(error, again) {
  photo.hidePreview();
  if (error.name === "InvalidStateError" || error.name === "EncodingError") {
    previewStatus.textContent = "This browser cannot show one of these files. It can be painted all the same.";
  } else if (error.status === 503 || error.status === 429) {
    previewStatus.textContent = "The server is busy. The preview will follow.";
    setTimeout(again, error.wait * 1000);
  } else {
    previewStatus.textContent = error.message;
  }
}

const want = livePreview({
  paint: paintSmall,
  show(picture) {
    previewStatus.textContent = "";
    photo.showPreview(picture);
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
  const picture = photo.theirs();
  const chosen = styles.chosen();
  if (!picture || !chosen.length) {
    photo.hidePreview();
    previewStatus.textContent = picture ? "Choose a style to see it on your photo." : "";
    return want(null);
  }
  previewStatus.textContent = photo.isPreviewed() ? "" : "A preview is on its way…";
  const subject = [picture.blob, ...chosen.map((style) => style.painting ?? style.id)];
  want({ picture, chosen, subject: subject.map((one) => (typeof one === "string" ? one : numberOf(one))).join() });
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

async function showPastiche(answer, before) {
  const blob = await reached(answer.blob());
  show("before", "src", before.blob);
  const after = show("after", "src", blob);
  const stem = before.name.replace(/\.[^.]*$/, "") || "photo";
  show("download", "href", blob).download = `${stem}-pastiche.${blob.type.replace("image/", "")}`;
  await after.decode();
  const seconds = Number(answer.headers.get("X-Style-Seconds")).toFixed(1);
  document.querySelector("#facts").textContent =
    `${after.naturalWidth} × ${after.naturalHeight} pixels · ${seconds} s · not kept`;
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
  (document.getElementById(error.field) ?? go).focus();
}

function complete() {
  const missing = pictures.missing();
  for (const [field, message] of missing) tell(field, message);
  if (missing.length) document.getElementById(missing[0][0]).focus();
  return !missing.length;
}

function submit(event) {
  event.preventDefault();
  if (go.disabled) return;
  forgetAll();
  if (complete()) (form.elements.no_store.checked ? paintHere() : queue()).catch(explain);
}

function showStrength() {
  const text = `${Math.round(form.elements.strength.value * 100)} %`;
  document.querySelector("#strength-value").textContent = text;
  form.elements.strength.setAttribute("aria-valuetext", text);
}

/** Also after Back, when the browser has filled in the form anew. */
function begin() {
  working(false);
  showStrength();
  changed();
}

form.noValidate = true; // problems are told beside the fields instead
form.addEventListener("submit", submit);
form.addEventListener("pictures", changed);
form.addEventListener("input", (event) => event.target.type === "range" && changed());
form.addEventListener("change", (event) => (event.target.matches(".pick-box") ? changed() : (key = null)));
form.elements.strength.addEventListener("input", showStrength);
cancel.addEventListener("click", () => running.abort());
window.addEventListener("pageshow", begin);
