// The photo and the paintings that somebody brings: dropped, pasted, browsed for, or of an earlier picture. The form is
// told by an event "pictures" when there are others.

import { isPicture, isStyleFile } from "./file-types.js";
import * as photo from "./photo.js";
import { clearError, showError } from "./field-errors.js";
import { fetchBlob } from "./http.js";
import { files as fileLimits, sentences } from "./options.js";
import * as styles from "./style-picker.js";
import { refuseStrayDrops, setUpPaste, setUpDropZone } from "./drop-zones.js";

const [content, style, sample] = ["#content", "#style", "#sample"].map((id) => document.querySelector(id));
const form = document.querySelector("#paint");
const { maxBytes } = fileLimits;
let inspect = null; // what else a picture may be than a photo

/** Adds them to what is sent, the styles in the order in which the server counts weights. */
export function append(body, { blob, name, storedName } = photo.current(), chosen = styles.chosen()) {
  if (storedName) body.append("content", storedName);
  else body.append("content", blob, name);
  if (chosen.length > 1) body.append("weights", chosen.map(({ weight }) => weight).join(","));
  for (const { id, painting } of chosen) {
    if (painting) body.append("style", painting, painting.name);
    else body.append("style", id);
  }
}

/** The fields that lack something, each with what to do about it. */
export function missing() {
  const fields = [];
  if (!photo.current()) fields.push(["content", "Choose a photo first."]);
  if (!styles.chosen().length) fields.push(["style", "Choose a style, or add a painting of your own."]);
  return fields;
}

function notifyForm() {
  form.dispatchEvent(new Event("pictures"));
}

/** `look(file)` is asked first, and answers whether it has another use for the picture. */
export function setInspector(inspector) {
  inspect = inspector;
}

let newest = null; // the photo that was brought last, however long it takes to be looked at

/** Why a file is no photo, in a sentence; none where it may be one. */
async function problemWith(file) {
  if (file.size > maxBytes) return `This file is larger than ${maxBytes / 1e6} MB. Use a smaller one.`;
  return (await isPicture(file)) ? "" : sentences.not_a_picture;
}

function refuse(problem) {
  content.value = ""; // so that the same file, mended, is another choice
  showError("content", problem);
}

/** What is refused leaves the photo before it in its place. */
export async function putPhoto(file) {
  newest = file;
  const problem = await problemWith(file);
  if (newest !== file) return;
  newest = null;
  if (problem) refuse(problem);
  else photo.setPhoto(file, file.name || "photo");
  notifyForm();
}

async function takePhoto([file]) {
  newest = file;
  const other = await inspect?.(file);
  if (newest !== file) return;
  if (other) newest = null;
  else await putPhoto(file);
}

/** Those of the files that are no painting are told, the others added. */
async function takePaintings(files) {
  clearError("style");
  style.value = ""; // its files are cards in a moment, and may be chosen once more
  const known = await Promise.all(files.map(async (file) => (await isPicture(file)) || isStyleFile(file)));
  styles.addAll(files.filter((_, index) => known[index]), maxBytes);
  if (known.includes(false)) showError("style", sentences.not_a_picture);
  notifyForm();
}

async function takePasted(files) {
  const atStyles = document.activeElement.closest("#styles");
  const another = (photo.current() || newest) && document.activeElement !== content;
  if (!atStyles && !another) takePhoto(files);
  else if (atStyles || !(await inspect?.(files[0]))) takePaintings(files);
}

async function takeSample() {
  try {
    takePhoto([new File([await fetchBlob(sample.dataset.src)], "cat.jpg", { type: "image/jpeg" })]);
  } catch (error) {
    showError("content", error.message);
  }
}

/** After Back the browser has filled in the form anew. */
function takeRestoredFiles() {
  if (content.files.length && !photo.current()) takePhoto(content.files);
  if (style.files.length) takePaintings([...style.files]);
  styles.arrange();
}

async function restore() {
  if (document.querySelector("#photo").dataset.src) await photo.restore();
  await styles.restore();
  notifyForm();
}

setUpDropZone(document.querySelector("#content-zone"), content, takePhoto);
setUpDropZone(document.querySelector("#styles"), style, takePaintings);
setUpPaste(takePasted);
refuseStrayDrops();
sample.hidden = false;
sample.addEventListener("click", takeSample);
window.addEventListener("pageshow", takeRestoredFiles);
export const ready = restore();
