// How large the picture becomes, and how long it takes to be painted: said before it is begun.

import { readSizes } from "./controls.js";
import { clearError, showError } from "../shared/field-errors.js";
import { fetchBlob } from "../shared/http.js";
import { sizes } from "../shared/options.js";

const form = document.querySelector("#paint");
const [line, printPixels] = ["#forecast", "#print-pixels"].map((id) => document.querySelector(id));
const DEBOUNCE = 300; // ms: nobody is asked while somebody types
const RETRY = 3000; // ms: until the server, which has just begun, knows more than the size
let timer = 0;
let newest = ""; // the question whose answer is waited for, or shown

function formatDuration(seconds) {
  if (seconds < 1.5) return "About a second";
  if (seconds < 90) return `About ${seconds < 10 ? Math.round(seconds) : 5 * Math.round(seconds / 5)} s`;
  return seconds < 5400 ? `About ${Math.round(seconds / 60)} min` : `About ${Math.round(seconds / 3600)} h`;
}

function sentence({ width, height, seconds, tiled }) {
  const pixels = `${width} × ${height} pixels`;
  const time = seconds ? [formatDuration(seconds) + (tiled ? ", painted in pieces" : "")] : [];
  return [...time, pixels].join(" · ");
}

/** `refusal`: why there can be no such picture; said here too, since its field may be out of sight. */
function show(answer, refusal = "") {
  line.textContent = answer ? sentence(answer) : refusal;
  line.classList.toggle("is-refusal", Boolean(refusal));
  printPixels.textContent = answer ? `${answer.width} × ${answer.height} pixels` : "";
}

async function ask(question) {
  try {
    const answer = JSON.parse(await (await fetchBlob(`${form.dataset.forecast}?${question}`)).text());
    if (question !== newest) return;
    sizes.forEach(clearError);
    show(answer);
    if (answer.seconds === null) timer = setTimeout(ask, RETRY, question);
  } catch (error) {
    if (question !== newest) return;
    const isAboutSize = sizes.includes(error.field);
    show(null, isAboutSize ? error.message : "");
    if (isAboutSize) showError(error.field, error.message);
  }
}

/** Asks anew where something is different; `photo`: its { width, height }, or null; `masks`: how many. */
export function follow(photo, masks) {
  const question = photo ? new URLSearchParams({ ...photo, ...readSizes(), masks }).toString() : "";
  if (question === newest) return;
  newest = question;
  clearTimeout(timer);
  if (question) timer = setTimeout(ask, DEBOUNCE, question);
  else {
    sizes.forEach(clearError);
    show(null);
  }
}
