// The photo and the paintings that somebody brings: dropped, pasted, browsed for, or of an earlier picture. The form is
// told by an event "pictures" when there are others.

import { isPicture, isStyleFile, NO_PICTURE } from "./kinds.js";
import * as photo from "./photo.js";
import { forget, tell } from "./problems.js";
import { fetched } from "./server.js";
import * as styles from "./styles.js";
import { refuseStrayDrops, setUpPaste, setUpZone } from "./zones.js";

const [content, style, sample] = ["#content", "#style", "#sample"].map((id) => document.querySelector(id));
const form = document.querySelector("#paint");
const maxBytes = Number(form.dataset.maxBytes);
let lookAt = null; // what else a picture may be than a photo

/** Adds them to what is sent, the styles in the order in which the server counts weights. */
export function append(body, { blob, name, kept } = photo.theirs(), chosen = styles.chosen()) {
  if (kept) body.append("content", kept);
  else body.append("content", blob, name);
  if (chosen.length > 1) body.append("weights", chosen.map(({ weight }) => weight).join(","));
  for (const { id, painting } of chosen) {
    if (painting) body.append("style", painting, painting.name);
    else body.append("style", id);
  }
}

/** The fields that lack something, each with what to do about it. */
export function missing() {
  const found = [];
  if (!photo.theirs()) found.push(["content", "Choose a photo first."]);
  if (!styles.chosen().length) found.push(["style", "Choose a style, or add a painting of your own."]);
  return found;
}

function tellOfOthers() {
  form.dispatchEvent(new Event("pictures"));
}

/** `look(file)` is asked first, and answers whether it has another use for the picture. */
export function lookFirst(look) {
  lookAt = look;
}

let newest = null; // the photo that was brought last, however long it takes to be looked at

/** Why a file is no photo, in a sentence; none where it may be one. */
async function faultOf(file) {
  if (file.size > maxBytes) return `This file is larger than ${maxBytes / 1e6} MB. Use a smaller one.`;
  return (await isPicture(file)) ? "" : NO_PICTURE;
}

function refuse(fault) {
  content.value = ""; // so that the same file, mended, is another choice
  tell("content", fault);
}

/** What is refused leaves the photo before it in its place. */
export async function putPhoto(file) {
  newest = file;
  const fault = await faultOf(file);
  if (newest !== file) return;
  newest = null;
  if (fault) refuse(fault);
  else photo.put(file, file.name || "photo");
  tellOfOthers();
}

async function takePhoto([file]) {
  newest = file;
  const other = await lookAt?.(file);
  if (newest !== file) return;
  if (other) newest = null;
  else await putPhoto(file);
}

/** Those of the files that are no painting are told, the others added. */
async function takePaintings(files) {
  forget("style");
  style.value = ""; // its files are cards in a moment, and may be chosen once more
  const known = await Promise.all(files.map(async (file) => (await isPicture(file)) || isStyleFile(file)));
  styles.addAll(files.filter((_, index) => known[index]), maxBytes);
  if (known.includes(false)) tell("style", NO_PICTURE);
  tellOfOthers();
}

async function takePasted(files) {
  const atStyles = document.activeElement.closest("#styles");
  const another = (photo.theirs() || newest) && document.activeElement !== content;
  if (!atStyles && !another) takePhoto(files);
  else if (atStyles || !(await lookAt?.(files[0]))) takePaintings(files);
}

async function takeSample() {
  try {
    takePhoto([new File([await fetched(sample.dataset.src)], "cat.jpg", { type: "image/jpeg" })]);
  } catch (error) {
    tell("content", error.message);
  }
}

/** After Back the browser has filled in the form anew. */
function takeWhatIsThere() {
  if (content.files.length && !photo.theirs()) takePhoto(content.files);
  if (style.files.length) takePaintings([...style.files]);
  styles.arrange();
}

async function restore() {
  if (document.querySelector("#photo").dataset.src) await photo.restore();
  await styles.restore();
  tellOfOthers();
}

setUpZone(document.querySelector("#content-zone"), content, takePhoto);
setUpZone(document.querySelector("#styles"), style, takePaintings);
setUpPaste(takePasted);
refuseStrayDrops();
sample.hidden = false;
sample.addEventListener("click", takeSample);
window.addEventListener("pageshow", takeWhatIsThere);
export const ready = restore();
