// A job's progress, from server-sent events, or polled each second where these fail. The server sends no events of a paused
// job, which is polled more seldom. Without JavaScript the page reloads itself instead.

import { showLosses } from "./shared/loss-curves.js";
import { post } from "./shared/http.js";

const job = document.querySelector("#job");
const { texts, mostSeconds } = JSON.parse(job.dataset.texts); // as app/pages/job.py says them
const [title, picture, bar, status] = ["#title", "#picture", "#bar", "#status"].map((id) => document.querySelector(id));
const [form, cancel, problem] = ["#cancel-form", "#cancel", "#problem"].map((id) => document.querySelector(id));
const [pauseForm, pause] = ["#pause-form", "#pause"].map((id) => document.querySelector(id)); // of a refinement
const [POLL, POLL_PAUSED] = [1000, 5000]; // ms
let ended = false;
let isPaused = job.dataset.state === "paused";
let hasPicture = false; // it has something to show
let events = null; // the stream, while it is open
let next; // timer

const fill = (text, values) => text.replace(/{(\w+)}/g, (_, name) => values[name]);

function timeLeft(seconds) {
  if (seconds === null) return "";
  if (seconds < 1) return " · almost done";
  if (seconds < mostSeconds) return fill(texts.seconds_left, { seconds: Math.ceil(seconds) });
  return fill(texts.minutes_left, { minutes: Math.round(seconds / 60) });
}

function statusText({ state, step, steps, seconds_left, position, cancelling }) {
  if (cancelling) return texts.stopping;
  if (state === "paused") return step ? fill(texts.paused_at_step, { step, steps }) : texts.paused;
  if (state === "queued") {
    if (!position) return texts.next_in_line;
    return position === 1 ? texts.one_ahead : fill(texts.some_ahead, { ahead: position });
  }
  return step ? fill(texts.at_step, { step, steps }) + timeLeft(seconds_left) : texts.starting;
}

/** Which words and buttons there are; "again": it waits, and has something to show already. */
function pageState({ state, cancelling, losses }) {
  hasPicture ||= Boolean(losses?.length); // they are not in every event
  if (cancelling) return "stopping";
  return state === "queued" && hasPicture ? "again" : state;
}

function showState(state) {
  job.dataset.state = state;
  for (const part of job.querySelectorAll("[data-when]")) part.hidden = !part.dataset.when.split(" ").includes(state);
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
  showState(pageState(now));
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
  const before = job.dataset.state;
  showState("stopping");
  cancel.disabled = true;
  try {
    const answer = await fetch(job.dataset.job, { method: "DELETE" });
    if (!answer.ok) throw new Error(answer.statusText);
    show(await answer.json());
  } catch {
    showState(before);
    cancel.disabled = false;
    showProblem("It could not be cancelled. Please try again.");
  }
}

async function togglePause(event) {
  event.preventDefault();
  if (pause.getAttribute("aria-disabled") === "true") return;
  const paused = job.dataset.state === "paused";
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
