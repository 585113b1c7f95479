// The page with JavaScript: previews, paste, progress and cancel. Without it the form is sent as it is.

const form = document.querySelector("#paint");
const result = document.querySelector("#result");
const [go, cancel, status] = ["#go", "#cancel", "#status"].map((id) => document.querySelector(id));
const [before, after] = ["#before", "#after"].map((id) => document.querySelector(id));
const [facts, download] = ["#facts", "#download"].map((id) => document.querySelector(id));
const inputs = { content: form.elements.content, style: form.elements.style };
const pictures = new Map(); // element -> the object URL that it shows
let running = null; // AbortController of the request under way

function show(element, attribute, blob) {
  URL.revokeObjectURL(pictures.get(element));
  pictures.set(element, URL.createObjectURL(blob));
  element[attribute] = pictures.get(element);
}

// --- problems, each beside its field ---

function problemBox(field) {
  return document.getElementById(`${field}-problem`) ?? document.getElementById("form-problem");
}

function tell(field, message) {
  const box = problemBox(field);
  box.textContent = message;
  box.hidden = false;
  form.elements[field]?.setAttribute("aria-invalid", "true");
}

function forget(field) {
  problemBox(field).hidden = true;
  form.elements[field]?.removeAttribute("aria-invalid");
}

function forgetAll() {
  for (const box of form.querySelectorAll(".problem")) forget(box.id.replace("-problem", ""));
}

// --- the two zones ---

function whatIsWrong(file, title) {
  if (!file) return `Choose a ${title} first.`;
  const limit = Number(form.dataset.maxBytes);
  if (file.size > limit) return `This file is larger than ${limit / 1e6} MB. Use a smaller one.`;
  return null;
}

function check(input) {
  const problem = whatIsWrong(input.files[0], input.labels[0].textContent.toLowerCase());
  if (problem) tell(input.name, problem);
  else forget(input.name);
  return !problem;
}

function preview(input) {
  const zone = input.closest(".zone");
  const [file] = input.files;
  zone.classList.toggle("is-filled", Boolean(file));
  const picture = zone.querySelector("img");
  picture.hidden = !file;
  zone.querySelector(".hint").replaceChildren(file ? `${file.name} · drop, paste or browse for another` : input.hint);
  if (file) show(picture, "src", file);
  if (file) check(input);
}

function setUpZone(input) {
  const zone = input.closest(".zone");
  zone.querySelector(".zone-how").hidden = false;
  input.hint = zone.querySelector(".hint").textContent;
  zone.querySelector("img").addEventListener("error", (event) => (event.target.hidden = true)); // a kind it cannot show
  input.addEventListener("change", () => preview(input));
  for (const kind of ["dragenter", "dragover"]) zone.addEventListener(kind, () => zone.classList.add("is-over"));
  for (const kind of ["dragleave", "drop"]) zone.addEventListener(kind, () => zone.classList.remove("is-over"));
  if (input.files.length) preview(input); // after a reload the browser may still hold the file
}

function put(input, file) {
  const transfer = new DataTransfer();
  transfer.items.add(file);
  input.files = transfer.files;
  preview(input);
}

function paste(event) {
  const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
  if (!file) return;
  const focused = Object.values(inputs).find((input) => input === document.activeElement);
  put(focused ?? (inputs.content.files.length ? inputs.style : inputs.content), file);
}

function refuseStrayDrop(event) {
  if (!event.target.closest?.(".zone")) event.preventDefault(); // else the browser leaves the page for the picture
}

// --- painting ---

function working(on) {
  go.disabled = on;
  cancel.hidden = !on;
  result.setAttribute("aria-busy", String(on)); // not the form: the status in it is read aloud
  result.classList.toggle("is-working", on);
}

function startClock() {
  const start = Date.now();
  status.textContent = "Painting…";
  return setInterval(() => {
    const seconds = Math.round((Date.now() - start) / 1000);
    if (seconds % 5 === 0 && seconds) status.textContent = `Painting… ${seconds} s`; // seldom: it is read aloud
  }, 1000);
}

function fileName(photo, type) {
  const stem = photo.name.replace(/\.[^.]*$/, "") || "photo";
  return `${stem}-pastiche.${type.replace("image/", "")}`;
}

function problem(field, message) {
  return Object.assign(new Error(message), { field });
}

async function refusal(response) {
  const { error } = await response.json().catch(() => ({}));
  return problem(error?.field ?? "form", error?.message ?? "The server could not paint this. Please try again.");
}

async function fromNetwork(promise) {
  try {
    return await promise;
  } catch (error) {
    throw error instanceof TypeError ? problem("form", "The server could not be reached. Please try again.") : error;
  }
}

async function showPastiche(response, photo) {
  const blob = await fromNetwork(response.blob());
  show(before, "src", photo);
  show(after, "src", blob);
  show(download, "href", blob);
  download.download = fileName(photo, blob.type);
  await after.decode();
  const seconds = Number(response.headers.get("X-Style-Seconds")).toFixed(1);
  const size = `${after.naturalWidth} × ${after.naturalHeight} pixels`;
  facts.textContent = `${size} · ${seconds} s · weights ${response.headers.get("X-Style-Weights")}`;
  result.dataset.painted = "yes";
}

function awaitPicture() {
  if (result.dataset.painted) return;
  show(before, "src", inputs.content.files[0]);
  show(after, "src", inputs.content.files[0]);
  result.hidden = false;
}

async function send() {
  const [photo] = inputs.content.files;
  const request = { method: "POST", body: new FormData(form), signal: running.signal };
  const response = await fromNetwork(fetch(form.dataset.api, request));
  if (!response.ok) throw await refusal(response);
  await showPastiche(response, photo);
}

function explain(error) {
  if (error.name === "AbortError") status.textContent = "Cancelled.";
  else if (error.field) tell(error.field, error.message);
  else {
    tell("form", "This page could not show the picture. Please reload it and try again.");
    console.error(error);
  }
  go.disabled = false;
  (form.elements[error.field] ?? go).focus();
}

async function paint() {
  running = new AbortController();
  working(true);
  awaitPicture();
  const clock = startClock();
  try {
    await send();
    status.textContent = "Painted.";
    result.focus();
  } catch (error) {
    status.textContent = "";
    explain(error);
  } finally {
    clearInterval(clock);
    working(false);
    result.hidden = !result.dataset.painted;
  }
}

function submit(event) {
  event.preventDefault();
  if (go.disabled) return;
  forgetAll();
  const wrong = Object.values(inputs).filter((input) => !check(input));
  if (wrong.length) wrong[0].focus();
  else paint();
}

function showStrength() {
  const text = `${Math.round(form.elements.strength.value * 100)} %`;
  document.querySelector("#strength-value").textContent = text;
  form.elements.strength.setAttribute("aria-valuetext", text);
}

form.noValidate = true; // problems are told beside the fields instead
Object.values(inputs).forEach(setUpZone);
form.addEventListener("submit", submit);
form.elements.strength.addEventListener("input", showStrength);
cancel.addEventListener("click", () => running.abort());
document.addEventListener("paste", paste);
for (const kind of ["dragover", "drop"]) window.addEventListener(kind, refuseStrayDrop);
showStrength();
