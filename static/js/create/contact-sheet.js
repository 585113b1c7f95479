// Compare side by side: one request for small pictures of each style, strength and brush size; one that is pressed sets
// the controls and is painted large.

import { controlValues, setControls, smallFormData, submit } from "./create.js";
import * as photo from "../shared/photo.js";
import { livePreview } from "./live-preview.js";
import * as regions from "../regions/regions.js";
import { post, checkNetwork } from "../shared/http.js";
import * as options from "../shared/options.js";
import { percent } from "../shared/percent.js";
import * as styles from "../shared/style-picker.js";

const PHOTO_SIDE = 512; // pixels
const SIDES = { few: 320, many: options.sheet.size }; // pixels, of the small pictures
const FEW = 12;
const form = document.querySelector("#paint");
const [dialog, launcher, openButton, closeButton, strengths, scales, status, grid] = [
  ...["#sheet", "#sheet-launcher", "#sheet-open", "#sheet-close", "#sheet-strengths", "#sheet-scales", "#sheet-status"],
  "#sheet-grid",
].map((id) => document.querySelector(id));
let shown = null; // the request that the grid answers

const checkedValues = (axis) => [...axis.querySelectorAll(":checked")].map((box) => Number(box.value));

// --- the small pictures ---

/** A brush size as its checkbox names it. */
const sizeName = (scale) => scales.querySelector(`[value="${scale}"]`).parentElement.textContent.trim();

const countCells = (chosen, { strengths: across, style_scales: sizes }) => chosen.length * across.length * sizes.length;

function newRequest() {
  const chosen = styles.chosen();
  const set = controlValues();
  const wanted = { strengths: checkedValues(strengths), style_scales: checkedValues(scales) };
  wanted.size = SIDES[countCells(chosen, wanted) > FEW ? "many" : "few"];
  for (const name of options.sheet.controls) if (name in set) wanted[name] = set[name] === true ? "yes" : set[name];
  return { options: wanted, chosen, subject: [photo.current()?.blob, ...chosen.map(({ card }) => card), JSON.stringify(wanted)] };
}

/** What a request lacks, in a sentence; empty where it is complete. */
function missingInput({ options: wanted, chosen }) {
  if (!photo.current()) return "Choose a photo first: close this, and add one.";
  if (!chosen.length) return options.sentences.no_styles_to_compare;
  if (!wanted.strengths.length) return "Tick at least one strength.";
  return wanted.style_scales.length ? "" : "Tick at least one brush size.";
}

async function paint({ options: wanted }) {
  const body = await smallFormData(PHOTO_SIDE);
  for (const [name, value] of Object.entries(wanted)) body.append(name, value);
  const answer = await post(dialog.dataset.sheet, body, { headers: { Accept: "application/json" } });
  const sheet = await checkNetwork(answer.json());
  const picture = Object.assign(new Image(), { src: sheet.image });
  await picture.decode();
  return { picture, cells: sheet.cells };
}

function cropCell(picture, { x, y, width, height }) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").drawImage(picture, x, y, width, height, 0, 0, width, height);
  return canvas;
}

function element(kind, className, ...children) {
  const node = Object.assign(document.createElement(kind), { className });
  node.append(...children);
  return node;
}

function choose(style, { strength, style_scale }) {
  dialog.close();
  setControls({ style, strength, style_scale });
  submit();
}

function button(picture, cell, style, sizes) {
  const [strength, size] = [percent(cell.strength), sizeName(cell.style_scale)];
  const label = element("span", "sheet-label", sizes > 1 ? `${strength} · brush ${size}` : strength);
  label.ariaHidden = "true";
  const description = element("span", "visually-hidden", `${style.name}, strength ${strength}, brush size ${size}`);
  const node = element("button", "sheet-cell", cropCell(picture, cell), label, description);
  node.type = "button";
  node.addEventListener("click", () => choose(style, cell));
  return node;
}

function row(style, at, { picture, cells }, { strengths: across, style_scales: sizes }) {
  const own = cells.filter((cell) => cell.style === at + 1);
  const bySize = sizes.flatMap((size) => own.filter(({ style_scale }) => style_scale === size));
  const buttons = element("div", "sheet-cells", ...bySize.map((cell) => button(picture, cell, style, sizes.length)));
  buttons.style.setProperty("--across", across.length);
  return element("section", "sheet-style", element("h3", "", style.name), buttons);
}

function show(answer, request) {
  shown = request;
  grid.replaceChildren(...request.chosen.map((style, at) => row(style, at, answer, request.options)));
  status.textContent = regions.isUsed() ? "Shown on the whole photo; your regions count when it is painted large." : "";
}

const isDecodeError = ({ name }) => name === "InvalidStateError" || name === "EncodingError";

function showSheetError(error, again) {
  grid.replaceChildren();
  shown = null;
  if (error.status === 503 || error.status === 429) {
    status.textContent = "The server is busy. It is asked again in a moment.";
    setTimeout(again, error.wait * 1000);
  } else {
    status.textContent = isDecodeError(error) ? "This browser cannot show one of these files." : error.message;
  }
}

const requestSheet = livePreview({
  paint: async (request) => ({ answer: await paint(request), request }),
  show: ({ answer, request }) => show(answer, request),
  complain: showSheetError,
  busy: (on) => grid.setAttribute("aria-busy", on),
});

const isShown = (request) => shown && request.subject.every((part, at) => part === shown.subject[at]);

function updateSheet() {
  const request = newRequest();
  const missing = missingInput(request);
  if (missing) {
    grid.replaceChildren();
    shown = null;
    status.textContent = missing;
    return requestSheet(null);
  }
  if (isShown(request)) return requestSheet(null);
  const count = countCells(request.chosen, request.options);
  status.textContent = count === 1 ? "One small picture is being painted…" : `${count} small pictures are being painted…`;
  requestSheet(request);
}

// --- the panel ---

function open() {
  dialog.showModal();
  updateSheet();
}

/** Below the photo; on a phone, where the photo stays in sight, among the settings. */
const narrow = matchMedia("(max-width: 54rem)");
const home = document.createComment("");

function placeLauncher() {
  (narrow.matches ? home : document.querySelector("#preview-status")).before(launcher);
}

function updateLauncher() {
  launcher.hidden = !photo.current();
}

launcher.before(home);
document.body.append(dialog); // out of the form, so that the Enter key sends nothing
openButton.addEventListener("click", open);
closeButton.addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => requestSheet(null));
dialog.addEventListener("change", updateSheet);
form.addEventListener("pictures", updateLauncher);
narrow.addEventListener("change", placeLauncher);
placeLauncher();
updateLauncher();
