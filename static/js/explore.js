// The page of all controls: those of the preset and the encoder that are chosen, which the server knows, and the order.
// Without JavaScript the form is sent as it is.

import * as pictures from "./shared/picture-inputs.js";
import { clearErrors, showError } from "./shared/field-errors.js";
import { fetchBlob, post, checkNetwork } from "./shared/http.js";

const form = document.querySelector("#paint");
const [preset, encoder, go, status] = ["#preset", "#encoder", "#go", "#status"].map((id) => document.querySelector(id));
const controls = () => document.querySelector("#controls");

/** What they are, but for the pictures: an empty one is as the preset has it, an empty layer does not count. */
function chosen() {
  return [...new FormData(form)].filter(([name]) => !/^(content|style|weight-.*)$/.test(name));
}

// --- the controls of another preset or encoder ---

let lastRequest = 0; // how often: only the last answer counts

async function refresh(fields) {
  const request = (lastRequest += 1);
  const stored = document.querySelector("#content-kept");
  const query = new URLSearchParams(stored ? [...fields, ["content", stored.value]] : fields);
  controls().classList.add("is-stale");
  clearErrors();
  try {
    const page = await (await fetchBlob(`${form.dataset.controls}?${query}`)).text();
    if (request === lastRequest) show(new DOMParser().parseFromString(page, "text/html"));
  } catch (error) {
    if (request === lastRequest) showError("encoder", error.message);
  }
  if (request === lastRequest) controls().classList.remove("is-stale");
}

function show(page) {
  const fresh = page.querySelector("#controls");
  fresh.querySelector("#descent").open = controls().querySelector("#descent").open;
  controls().replaceWith(fresh);
  encoder.value = page.querySelector("#encoder").value;
  showLayerWeights();
  status.textContent = `These are the layers of ${fresh.dataset.judge}.`;
}

/** As far as it counts. */
function showLayerWeight(weight) {
  weight.style.setProperty("--weight", Math.min(1, Math.max(0, Number(weight.value))));
}

function showLayerWeights() {
  for (const weight of controls().querySelectorAll(".layer-weight")) showLayerWeight(weight);
}

// --- the order ---

function setBusy(on, words = "") {
  go.disabled = on;
  status.textContent = words;
}

async function send() {
  setBusy(true, "Sending…");
  const body = new FormData();
  for (const [name, value] of chosen()) body.append(name, value);
  pictures.append(body);
  const answer = await post(form.dataset.jobs, body);
  location.assign((await checkNetwork(answer.json())).page);
}

function showFieldError(field, message) {
  showError(field, message);
  const control = document.getElementById(field) ?? document.getElementById(`${field}-problem`) ?? go;
  const fold = control.closest("details");
  if (fold) fold.open = true;
  control.focus();
  control.scrollIntoView({ block: "center" });
}

function submit(event) {
  event.preventDefault();
  if (go.disabled) return;
  clearErrors();
  const missing = pictures.missing();
  for (const [field, message] of missing.reverse()) showFieldError(field, message);
  if (missing.length) return;
  send().catch((error) => {
    setBusy(false);
    showFieldError(error.field ?? "form", error.message);
  });
}

preset.addEventListener("change", () => refresh([["preset", preset.value]]));
encoder.addEventListener("change", () => {
  refresh(chosen().filter(([name, value]) => value !== "" && !name.includes("-layer-")));
});
form.addEventListener("input", ({ target }) => target.matches(".layer-weight") && showLayerWeight(target));
form.addEventListener("submit", submit);
window.addEventListener("pageshow", () => setBusy(false));
showLayerWeights();
