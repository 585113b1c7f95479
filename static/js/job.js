// A job's progress, as the server tells it (server-sent events), or as it is asked for each second where that fails; of a
// paused one nothing is told, so that it is asked for now and then.
// Without JavaScript the page reloads itself instead.

import { showLosses } from "./shared/loss-curves.js";
import { post } from "./shared/http.js";

const job = document.querySelector("#job");
const [title, picture, bar, status] = ["#title", "#picture", "#bar", "#status"].map((id) => document.querySelector(id));
const [form, cancel, problem] = ["#cancel-form", "#cancel", "#problem"].map((id) => document.querySelector(id));
const [pauseForm, pause] = ["#pause-form", "#pause"].map((id) => document.querySelector(id)); // of a refinement
const [POLL, POLL_PAUSED] = [1000, 5000]; // ms
let ended = false;
let isPaused = job.dataset.moment === "paused";
let hasPicture = false; // it has something to show
let events = null; // while they are told
let next; // timer

function secondsLeft(seconds) {
  if (seconds === null) return "";
  if (seconds < 1) return " · almost done";
  if (seconds < 90) return ` · about ${Math.ceil(seconds)} s left`;
  return ` · about ${Math.round(seconds / 60)} min left`;
}

function statusText({ state, step, steps, seconds_left, position, cancelling }) {
  if (cancelling) return "Stopping…";
  if (state === "paused") return step ? `Paused at step ${step} of ${steps}` : "Paused";
  if (state === "queued") {
    if (!position) return "Next in line.";
    return position === 1 ? "1 picture is ahead of yours." : `${position} pictures are ahead of yours.`;
  }
  return step ? `Step ${step} of ${steps}${secondsLeft(seconds_left)}` : "Starting…";
}

/** Which words and buttons there are; "again": it waits, and has something to show already. */
function momentOf({ state, cancelling, losses }) {
  hasPicture ||= Boolean(losses?.length); // they are not in every event
  if (cancelling) return "stopping";
  return state === "queued" && hasPicture ? "again" : state;
}

function showMoment(moment) {
  job.dataset.moment = moment;
  for (const part of job.querySelectorAll("[data-when]")) part.hidden = !part.dataset.when.split(" ").includes(moment);
}

function showBar({ step, steps }) {
  if (step) Object.assign(bar, { max: steps, value: step });
  else bar.removeAttribute("value");
}

function showTitle({ state, step, steps }) {
  const share = state === "running" && step ? `${Math.round((100 * step) / steps)} %` : title.innerText;
  document.title = `${share} · Pastiche`;
}

/** Each preview has an address of its own. */
function showPicture({ preview }) {
  if (!preview || preview === picture.getAttribute("src")) return;
  picture.src = preview;
  picture.alt = "The picture so far";
  picture.classList.remove("is-photo");
}

/** One button for both, so that it keeps the focus. */
function showPause({ state, pausing, cancelling }) {
  const paused = state === "paused";
  setPause(paused ? "Go on" : pausing ? "Pausing…" : "Pause", cancelling || pausing);
  pause.classList.toggle("button-quiet", !paused);
}

function setPause(words, busy) {
  pause.textContent = words;
  pause.setAttribute("aria-disabled", busy);
}

function show(now) {
  if (ended) return;
  if (["done", "failed", "cancelled"].includes(now.state)) return finish();
  showMoment(momentOf(now));
  showTitle(now);
  const words = statusText(now);
  if (status.textContent !== words) status.textContent = words;
  cancel.disabled = now.cancelling;
  showBar(now);
  showPicture(now);
  if (pause) showPause(now);
  if (now.losses) showLosses(now.losses, now.steps);
  followPause(now);
}

function followPause({ state, error }) {
  if (isPaused === (state === "paused")) return;
  isPaused = !isPaused;
  if (!isPaused) return listen();
  if (error) return finish(); // it could not go on
  events?.close();
  events = null;
  pollLater();
}

/** The server knows where this leads: to the result, or to why there is none yet. */
function finish() {
  ended = true;
  location.reload();
}

async function poll() {
  if (ended) return;
  try {
    const answer = await fetch(job.dataset.job);
    if (answer.status === 404) return finish(); // deleted, in another tab perhaps
    if (answer.ok) show(await answer.json());
  } catch {
    status.textContent = "The server cannot be reached at the moment. This page keeps trying.";
  }
  if (!events) pollLater();
}

function pollLater() {
  clearTimeout(next);
  next = setTimeout(poll, isPaused ? POLL_PAUSED : POLL);
}

function listen() {
  if (!window.EventSource) return pollLater();
  const stream = new EventSource(job.dataset.events);
  events = stream;
  stream.addEventListener("job", (event) => show(JSON.parse(event.data)));
  stream.addEventListener("error", () => {
    if (events !== stream || stream.readyState !== EventSource.CLOSED) return; // one that merely ends is opened anew
    events = null; // refused
    poll();
  });
}

/** The photo and the smaller pictures so far are shown in one size. */
function setRatio() {
  picture.hidden = false;
  const { naturalWidth: width, naturalHeight: height } = picture;
  if (height) picture.parentElement.style.setProperty("--ratio", width / height);
}

function showProblem(message) {
  problem.textContent = message;
  problem.hidden = !message;
}

async function cancelJob(event) {
  event.preventDefault();
  const before = job.dataset.moment;
  showMoment("stopping");
  cancel.disabled = true;
  try {
    const answer = await fetch(job.dataset.job, { method: "DELETE" });
    if (!answer.ok) throw new Error(answer.statusText);
    show(await answer.json());
  } catch {
    showMoment(before);
    cancel.disabled = false;
    showProblem("It could not be cancelled. Please try again.");
  }
}

async function togglePause(event) {
  event.preventDefault();
  if (pause.getAttribute("aria-disabled") === "true") return;
  const paused = job.dataset.moment === "paused";
  const words = pause.textContent;
  setPause(paused ? "Going on…" : "Pausing…", true);
  showProblem("");
  try {
    const answer = await post(`${job.dataset.job}/${paused ? "resume" : "pause"}`);
    show(await answer.json());
  } catch (error) {
    setPause(words, false);
    showProblem(error.message);
  }
}

picture.addEventListener("error", () => (picture.hidden = true)); // a kind of file that this browser cannot show
picture.addEventListener("load", setRatio);
if (picture.complete) setRatio();
form.addEventListener("submit", cancelJob);
pauseForm?.addEventListener("submit", togglePause);
if (isPaused) pollLater();
else listen();
