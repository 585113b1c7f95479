// The photo on its easel, and over it the preview.

import { forget, tell } from "./problems.js";
import { fetched } from "./server.js";

const stage = document.querySelector("#stage");
const input = document.querySelector("#content");
const easel = stage.querySelector(".easel");
const hint = document.querySelector("#content-hint");
const [picture, preview, tag] = ["#photo", "#preview", "#preview-tag"].map((id) => document.querySelector(id));

const GONE = "The photo is no longer on the server. Please choose it once more.";
const OUT_OF_REACH = "The photo could not be fetched. Please choose it once more, or reload the page.";
let photo = null; // { blob, name, kept }; kept: the server has it, by this name

export const theirs = () => photo;

/** Of the photo, whose copy may be all that is looked at; null where this browser cannot show it. */
export function size() {
  const { naturalWidth, naturalHeight, dataset } = picture;
  if (!photo || easel.hidden || !naturalWidth) return null;
  if (photo.kept && dataset.width) return { width: dataset.width, height: dataset.height };
  return { width: naturalWidth, height: naturalHeight };
}

function show(element, blob) {
  URL.revokeObjectURL(element.src);
  element.src = blob ? URL.createObjectURL(blob) : "";
}

function part(kind, text) {
  return Object.assign(document.createElement("span"), { className: kind, textContent: text });
}

export function put(blob, name, kept = null) {
  photo = { blob, name, kept };
  forget("content");
  hidePreview();
  show(picture, blob);
  easel.hidden = false;
  stage.classList.add("is-filled");
  hint.replaceChildren(part("photo-name", name), part("photo-how", " · drop, paste or browse for another"));
}

export function showPreview(blob) {
  show(preview, blob);
  preview.hidden = false;
  tag.textContent = "Preview";
  tag.hidden = false;
}

export const isPreviewed = () => !preview.hidden;

export function hidePreview() {
  preview.hidden = true;
  tag.hidden = true;
}

export function previewing(on) {
  easel.classList.toggle("is-working", on);
}

export async function restore() {
  const { src, name } = picture.dataset;
  try {
    const blob = await fetched(src);
    if (!photo) put(blob, name, document.querySelector("#content-kept")?.value);
  } catch (error) {
    if (!photo) tell("content", error.status === 404 ? GONE : OUT_OF_REACH);
  }
}

picture.addEventListener("load", () => {
  easel.style.setProperty("--ratio", picture.naturalWidth / picture.naturalHeight);
  stage.closest("form").dispatchEvent(new Event("measured"));
});
// a kind of file that this browser cannot show
picture.addEventListener("error", () => (easel.hidden = true));
stage.querySelector(".zone-how").hidden = false;
input.required = false;
