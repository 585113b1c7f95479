// The page of all controls: those of the preset and the encoder that are chosen, which the server knows, and the order.
// Without JavaScript the form is sent as it is.

import * as pictures from "./pictures.js";
import { forgetAll, tell } from "./problems.js";
import { fetched, post, reached } from "./server.js";

const form = document.querySelector("#paint");
const [preset, encoder, go, status] = ["#preset", "#encoder", "#go", "#status"].map((id) => document.querySelector(id));
const controls = () => document.querySelector("#controls");

/** What they are, but for the pictures: an empty one is as the preset has it, an empty layer does not count. */
function chosen() {
  return [...new FormData(form)].filter(([name]) => !/^(content|style|weight-.*)$/.test(name));
}

// --- the controls of another preset or encoder ---

let asked = 0; // how often: only the last answer counts

async function refresh(fields) {
  const mine = (asked += 1);
  const kept = document.querySelector("#content-kept");
  const query = new URLSearchParams(kept ? [...fields, ["content", kept.value]] : fields);
  controls().classList.add("is-old");
  forgetAll();
  try {
    const page = await (await fetched(`${form.dataset.controls}?${query}`)).text();
    if (mine === asked) show(new DOMParser().parseFromString(page, "text/html"));
  } catch (error) {
    if (mine === asked) tell("encoder", error.message);
  }
  if (mine === asked) controls().classList.remove("is-old");
}

function show(page) {
  const fresh = page.querySelector("#controls");
  fresh.querySelector("#descent").open = controls().querySelector("#descent").open;
  controls().replaceWith(fresh);
  encoder.value = page.querySelector("#encoder").value;
  fillAll();
  status.textContent = `These are the layers of ${fresh.dataset.judge}.`;
}

/** As far as it counts. */
function fill(weight) {
  weight.style.setProperty("--weight", Math.min(1, Math.max(0, Number(weight.value))));
}

function fillAll() {
  for (const weight of controls().querySelectorAll(".layer-weight")) fill(weight);
}

// --- the order ---

function working(on, words = "") {
  go.disabled = on;
  status.textContent = words;
}

async function send() {
  working(true, "Sending…");
  const body = new FormData();
  for (const [name, value] of chosen()) body.append(name, value);
  pictures.append(body);
  const answer = await post(form.dataset.jobs, body);
  location.assign((await reached(answer.json())).page);
}

function complain(field, message) {
  tell(field, message);
  const control = document.getElementById(field) ?? document.getElementById(`${field}-problem`) ?? go;
  const fold = control.closest("details");
  if (fold) fold.open = true;
  control.focus();
  control.scrollIntoView({ block: "center" });
}

function submit(event) {
  event.preventDefault();
  if (go.disabled) return;
  forgetAll();
  const missing = pictures.missing();
  for (const [field, message] of missing.reverse()) complain(field, message);
  if (missing.length) return;
  send().catch((error) => {
    working(false);
    complain(error.field ?? "form", error.message);
  });
}

preset.addEventListener("change", () => refresh([["preset", preset.value]]));
encoder.addEventListener("change", () => {
  refresh(chosen().filter(([name, value]) => value !== "" && !name.includes("-layer-")));
});
form.addEventListener("input", ({ target }) => target.matches(".layer-weight") && fill(target));
form.addEventListener("submit", submit);
window.addEventListener("pageshow", () => working(false));
fillAll();
