// The photo in its frame, and over it the preview.

import { clearError, showError } from "./field-errors.js";
import { fetchBlob } from "./http.js";

const panel = document.querySelector("#photo-panel");
const input = document.querySelector("#content");
const frame = panel.querySelector(".photo-frame");
const hint = document.querySelector("#content-hint");
const [picture, preview, tag] = ["#photo", "#preview", "#preview-tag"].map((id) => document.querySelector(id));

const GONE = "The photo is no longer on the server. Please choose it once more.";
const UNREACHABLE = "The photo could not be fetched. Please choose it once more, or reload the page.";
let photo = null; // { blob, name, storedName }; storedName: the server has it, by this name

export const current = () => photo;

/** Of the photo, whose copy may be all that is looked at; null where this browser cannot show it. */
export function size() {
  const { naturalWidth, naturalHeight, dataset } = picture;
  if (!photo || frame.hidden || !naturalWidth) return null;
  if (photo.storedName && dataset.width) return { width: dataset.width, height: dataset.height };
  return { width: naturalWidth, height: naturalHeight };
}

function show(element, blob) {
  URL.revokeObjectURL(element.src);
  element.src = blob ? URL.createObjectURL(blob) : "";
}

function span(kind, text) {
  return Object.assign(document.createElement("span"), { className: kind, textContent: text });
}

export function setPhoto(blob, name, storedName = null) {
  photo = { blob, name, storedName };
  clearError("content");
  hidePreview();
  show(picture, blob);
  frame.hidden = false;
  panel.classList.add("is-filled");
  hint.replaceChildren(span("photo-name", name), span("photo-hint", " · drop, paste or browse for another"));
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

export function setPreviewBusy(on) {
  frame.classList.toggle("is-working", on);
}

export async function restore() {
  const { src, name } = picture.dataset;
  try {
    const blob = await fetchBlob(src);
    if (!photo) setPhoto(blob, name, document.querySelector("#content-kept")?.value);
  } catch (error) {
    if (!photo) showError("content", error.status === 404 ? GONE : UNREACHABLE);
  }
}

picture.addEventListener("load", () => {
  frame.style.setProperty("--ratio", picture.naturalWidth / picture.naturalHeight);
  panel.closest("form").dispatchEvent(new Event("measured"));
});
// a kind of file that this browser cannot show
picture.addEventListener("error", () => (frame.hidden = true));
panel.querySelector(".zone-hint").hidden = false;
input.required = false;
