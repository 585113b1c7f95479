// A job's progress, as the server tells it (server-sent events), or as it is asked for each second where that fails.
// Without JavaScript the page reloads itself instead.

const job = document.querySelector("#job");
const [title, picture, bar, status] = ["#title", "#picture", "#bar", "#status"].map((id) => document.querySelector(id));
const [form, cancel, problem] = ["#cancel-form", "#cancel", "#problem"].map((id) => document.querySelector(id));
const POLL = 1000; // ms
let ended = false;

function secondsLeft(seconds) {
  if (seconds === null) return "";
  if (seconds < 1) return " · almost done";
  if (seconds < 90) return ` · about ${Math.ceil(seconds)} s left`;
  return ` · about ${Math.round(seconds / 60)} min left`;
}

function told({ state, step, steps, seconds_left, position }) {
  if (state === "queued") {
    if (!position) return "Next in line.";
    return position === 1 ? "1 picture is ahead of yours." : `${position} pictures are ahead of yours.`;
  }
  return steps ? `Step ${step} of ${steps}${secondsLeft(seconds_left)}` : "Starting…";
}

function showBar({ step, steps }) {
  if (steps) Object.assign(bar, { max: steps, value: step });
  else bar.removeAttribute("value");
}

/** Each preview has an address of its own. */
function showPicture({ preview }) {
  if (!preview || preview === picture.getAttribute("src")) return;
  picture.src = preview;
  picture.alt = "The picture so far";
  picture.classList.remove("is-photo");
}

function show(now) {
  if (ended) return;
  if (["done", "failed", "cancelled"].includes(now.state)) return finish();
  const running = now.state === "running";
  title.textContent = running ? "Painting your photo" : "Your photo waits its turn";
  document.title = `${running && now.steps ? `${Math.round((100 * now.step) / now.steps)} %` : "Waiting"} · Pastiche`;
  const words = told(now);
  if (status.textContent !== words) status.textContent = words;
  if (now.cancelling) stopping();
  showBar(now);
  showPicture(now);
}

/** The server knows where this leads: to the result, or to why there is none. */
function finish() {
  ended = true;
  location.reload();
}

function stopping() {
  cancel.disabled = true;
  cancel.textContent = "Stopping…";
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
  setTimeout(poll, POLL);
}

function listen() {
  if (!window.EventSource) return poll();
  const events = new EventSource(job.dataset.events);
  events.addEventListener("job", (event) => show(JSON.parse(event.data)));
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CLOSED) poll(); // refused; a stream that merely ends is opened anew
  });
}

/** The photo and the smaller pictures so far are shown in one size. */
function fit() {
  picture.hidden = false;
  const { naturalWidth: width, naturalHeight: height } = picture;
  if (height) picture.parentElement.style.setProperty("--ratio", width / height);
}

async function stop(event) {
  event.preventDefault();
  stopping();
  try {
    const answer = await fetch(job.dataset.job, { method: "DELETE" });
    if (!answer.ok) throw new Error(answer.statusText);
    show(await answer.json());
  } catch {
    cancel.disabled = false;
    cancel.textContent = "Cancel";
    problem.textContent = "It could not be cancelled. Please try again.";
    problem.hidden = false;
  }
}

picture.addEventListener("error", () => (picture.hidden = true)); // a kind of file that this browser cannot show
picture.addEventListener("load", fit);
if (picture.complete) fit();
form.addEventListener("submit", stop);
listen();
