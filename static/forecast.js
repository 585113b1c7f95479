// How large the picture becomes, and how long it takes to be painted: said before it is begun.

import { sizes } from "./more.js";
import { forget, tell } from "./problems.js";
import { fetched } from "./server.js";

const form = document.querySelector("#paint");
const [line, printed] = ["#forecast", "#print-pixels"].map((id) => document.querySelector(id));
const PAUSE = 300; // ms: nobody is asked while somebody types
const FIELDS = ["size", "print", "dpi"]; // that it is about
const AGAIN = 3000; // ms: until the server, which has just begun, knows more than the size
let timer = 0;
let newest = ""; // the question whose answer is waited for, or shown

function lasting(seconds) {
  if (seconds < 1.5) return "About a second";
  if (seconds < 90) return `About ${seconds < 10 ? Math.round(seconds) : 5 * Math.round(seconds / 5)} s`;
  return seconds < 5400 ? `About ${Math.round(seconds / 60)} min` : `About ${Math.round(seconds / 3600)} h`;
}

function sentence({ width, height, seconds, tiled }) {
  const pixels = `${width} × ${height} pixels`;
  const time = seconds ? [lasting(seconds) + (tiled ? ", painted in pieces" : "")] : [];
  return [...time, pixels].join(" · ");
}

/** `refusal`: why there can be no such picture; said here too, since its field may be out of sight. */
function say(answer, refusal = "") {
  line.textContent = answer ? sentence(answer) : refusal;
  line.classList.toggle("is-refusal", Boolean(refusal));
  printed.textContent = answer ? `${answer.width} × ${answer.height} pixels` : "";
}

async function ask(question) {
  try {
    const answer = JSON.parse(await (await fetched(`${form.dataset.forecast}?${question}`)).text());
    if (question !== newest) return;
    FIELDS.forEach(forget);
    say(answer);
    if (answer.seconds === null) timer = setTimeout(ask, AGAIN, question);
  } catch (error) {
    if (question !== newest) return;
    const isTheirs = FIELDS.includes(error.field);
    say(null, isTheirs ? error.message : "");
    if (isTheirs) tell(error.field, error.message);
  }
}

/** Asks anew where something is different; `photo`: its { width, height }, or null; `masks`: how many. */
export function follow(photo, masks) {
  const question = photo ? new URLSearchParams({ ...photo, ...sizes(), masks }).toString() : "";
  if (question === newest) return;
  newest = question;
  clearTimeout(timer);
  if (question) timer = setTimeout(ask, PAUSE, question);
  else {
    FIELDS.forEach(forget);
    say(null);
  }
}
