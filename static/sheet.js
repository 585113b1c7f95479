// Compare side by side: one request for small pictures of each style, strength and brush size; one that is pressed sets
// the controls and is painted large.

import { controls, setControls, smallBody, submit } from "./create.js";
import * as photo from "./photo.js";
import { livePreview } from "./preview.js";
import * as regions from "./regions.js";
import { post, reached } from "./server.js";
import * as styles from "./styles.js";

const PHOTO_SIDE = 512; // pixels
const SIDES = { few: 320, many: 224 }; // pixels, of the small pictures
const FEW = 12;
const FOR_ALL = ["steady", "keep_colours", "keep_light", "match_colours"]; // controls that every small picture follows
const SIZES = { 0.5: "½", 1: "1", 2: "2" };
const form = document.querySelector("#paint");
const [dialog, way, openButton, closeButton, strengths, scales, status, grid] = [
  ...["#sheet", "#sheet-way", "#sheet-open", "#sheet-close", "#sheet-strengths", "#sheet-scales", "#sheet-status"],
  "#sheet-grid",
].map((id) => document.querySelector(id));
let shown = null; // the wish that the grid answers

const percent = (share) => `${Math.round(100 * share)} %`;
const ticked = (axis) => [...axis.querySelectorAll(":checked")].map((box) => Number(box.value));

// --- the small pictures ---

const counted = (chosen, { strengths: across, style_scales: sizes }) => chosen.length * across.length * sizes.length;

function wish() {
  const chosen = styles.chosen();
  const set = controls();
  const options = { strengths: ticked(strengths), style_scales: ticked(scales) };
  options.size = SIDES[counted(chosen, options) > FEW ? "many" : "few"];
  for (const name of FOR_ALL) if (name in set) options[name] = set[name] === true ? "yes" : set[name];
  return { options, chosen, subject: [photo.theirs()?.blob, ...chosen.map(({ card }) => card), JSON.stringify(options)] };
}

/** What there is too little of for a request, in a sentence. */
function lacks({ options, chosen }) {
  if (!photo.theirs()) return "Choose a photo first: close this, and add one.";
  if (!chosen.length) return "Choose the styles to compare first: close this, and pick up to eight in the gallery.";
  if (!options.strengths.length) return "Tick at least one strength.";
  return options.style_scales.length ? "" : "Tick at least one brush size.";
}

async function paint({ options }) {
  const body = await smallBody(PHOTO_SIDE);
  for (const [name, value] of Object.entries(options)) body.append(name, value);
  const answer = await post(dialog.dataset.sheet, body, { headers: { Accept: "application/json" } });
  const sheet = await reached(answer.json());
  const picture = Object.assign(new Image(), { src: sheet.image });
  await picture.decode();
  return { picture, cells: sheet.cells };
}

function cut(picture, { x, y, width, height }) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").drawImage(picture, x, y, width, height, 0, 0, width, height);
  return canvas;
}

function element(kind, className, ...children) {
  const made = Object.assign(document.createElement(kind), { className });
  made.append(...children);
  return made;
}

function choose(style, { strength, style_scale }) {
  dialog.close();
  setControls({ style, strength, style_scale });
  submit();
}

function button(picture, cell, style, sizes) {
  const [strength, size] = [percent(cell.strength), SIZES[cell.style_scale]];
  const seen = element("span", "sheet-label", sizes > 1 ? `${strength} · brush ${size}` : strength);
  seen.ariaHidden = "true";
  const said = element("span", "unseen", `${style.name}, strength ${strength}, brush size ${size}`);
  const made = element("button", "sheet-cell", cut(picture, cell), seen, said);
  made.type = "button";
  made.addEventListener("click", () => choose(style, cell));
  return made;
}

function row(style, at, { picture, cells }, { strengths: across, style_scales: sizes }) {
  const own = cells.filter((cell) => cell.style === at + 1);
  const bySize = sizes.flatMap((size) => own.filter(({ style_scale }) => style_scale === size));
  const buttons = element("div", "sheet-cells", ...bySize.map((cell) => button(picture, cell, style, sizes.length)));
  buttons.style.setProperty("--across", across.length);
  return element("section", "sheet-style", element("h3", "", style.name), buttons);
}

function show(answer, wished) {
  shown = wished;
  grid.replaceChildren(...wished.chosen.map((style, at) => row(style, at, answer, wished.options)));
  status.textContent = regions.isUsed() ? "Shown on the whole photo; your regions count when it is painted large." : "";
}

const isUnreadable = ({ name }) => name === "InvalidStateError" || name === "EncodingError";

function complain(error, again) {
  grid.replaceChildren();
  shown = null;
  if (error.status === 503 || error.status === 429) {
    status.textContent = "The server is busy. It is asked again in a moment.";
    setTimeout(again, error.wait * 1000);
  } else {
    status.textContent = isUnreadable(error) ? "This browser cannot show one of these files." : error.message;
  }
}

const want = livePreview({
  paint: async (wished) => ({ answer: await paint(wished), wished }),
  show: ({ answer, wished }) => show(answer, wished),
  complain,
  busy: (on) => grid.setAttribute("aria-busy", on),
});

const isShown = (wished) => shown && wished.subject.every((part, at) => part === shown.subject[at]);

function ask() {
  const wished = wish();
  const lack = lacks(wished);
  if (lack) {
    grid.replaceChildren();
    shown = null;
    status.textContent = lack;
    return want(null);
  }
  if (isShown(wished)) return want(null);
  const count = counted(wished.chosen, wished.options);
  status.textContent = count === 1 ? "One small picture is being painted…" : `${count} small pictures are being painted…`;
  want(wished);
}

// --- the panel ---

function open() {
  dialog.showModal();
  ask();
}

/** Below the photo; on a phone, where the photo stays in sight, among the settings. */
const narrow = matchMedia("(max-width: 54rem)");
const home = document.createComment("");

function place() {
  (narrow.matches ? home : document.querySelector("#preview-status")).before(way);
}

function offer() {
  way.hidden = !photo.theirs();
}

way.before(home);
document.body.append(dialog); // out of the form, so that the Enter key sends nothing
openButton.addEventListener("click", open);
closeButton.addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => want(null));
dialog.addEventListener("change", ask);
form.addEventListener("pictures", offer);
narrow.addEventListener("change", place);
place();
offer();
