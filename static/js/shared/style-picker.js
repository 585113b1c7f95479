// The gallery: which styles are chosen, and how much of each.

import { clearError, scrollToError, showError } from "./field-errors.js";
import { fetchBlob } from "./http.js";
import { blend } from "./options.js";

const form = document.querySelector("#paint");
const gallery = document.querySelector("#gallery");
const mix = document.querySelector("#mix");
const rows = document.querySelector("#mix-rows");
const template = document.querySelector("#own-card");
const { maxStyles } = blend;
const weights = new Map(); // card -> its row with the slider, wherever that is
const paintings = new Map(); // card -> the file that was brought

const isChosen = (card) => card.querySelector(".pick-box").checked;
const nameOf = (card) => card.querySelector(".card-name").textContent;
const slider = (card) => weights.get(card).querySelector("input");

function chosenCards() {
  const chosen = [...weights.keys()].filter(isChosen);
  return [...chosen.filter((card) => !paintings.has(card)), ...chosen.filter((card) => paintings.has(card))];
}

/** Library styles first, then paintings: the order in which the server counts weights. */
export function chosen() {
  return chosenCards().map((card) => ({
    card,
    name: nameOf(card),
    id: card.querySelector(".pick-box").value,
    painting: paintings.get(card),
    weight: Number(slider(card).value),
  }));
}

function register(card) {
  const row = card.querySelector(".weight");
  const thumbnail = card.querySelector(".card-picture").cloneNode();
  thumbnail.className = "weight-picture";
  row.prepend(thumbnail);
  weights.set(card, row);
}

function showShares(cards) {
  const total = cards.reduce((sum, card) => sum + Number(slider(card).value), 0);
  for (const card of cards) {
    const share = `${total ? Math.round((100 * slider(card).value) / total) : 0} %`;
    weights.get(card).querySelector(".value").textContent = share;
    slider(card).setAttribute("aria-valuetext", share);
  }
}

export function arrange() {
  const cards = chosenCards();
  const several = cards.length > 1;
  for (const [card, row] of weights) if (!several || !isChosen(card)) card.append(row);
  if (several) rows.append(...cards.map((card) => weights.get(card)));
  mix.hidden = !several;
  showShares(cards);
  if (cards.length) clearError("style");
}

function refuseTooMany(event) {
  if (!event.target.matches(".pick-box") || chosenCards().length <= maxStyles) return;
  event.target.checked = false;
  showError("style", `Up to ${maxStyles} styles go into one picture. Take another away first.`);
  scrollToError("style");
  event.stopImmediatePropagation();
}

let ownCount = 0;

/** Also between the slider's steps: the same weights give the same picture. */
function setWeight(range, weight) {
  if (weight % range.step) range.step = "any";
  range.value = weight;
}

function cardOf(file, weight) {
  const card = template.content.cloneNode(true).firstElementChild;
  const key = `own-${(ownCount += 1)}`;
  card.querySelector(".pick-box").id = `style-${key}`;
  card.querySelector(".pick-label").htmlFor = `style-${key}`;
  card.querySelector(".card-name").textContent = file.name;
  const picture = card.querySelector(".card-picture");
  picture.addEventListener("error", () => card.classList.add("is-vector")); // a style file, or a kind it cannot show
  picture.src = URL.createObjectURL(file);
  const range = card.querySelector(".weight input");
  range.id = `weight-${key}`;
  setWeight(range, weight);
  const label = card.querySelector(".weight label");
  label.htmlFor = range.id;
  label.append(file.name);
  return card;
}

/** A painting for this picture alone. */
export function add(file, weight = blend.sliderDefault) {
  const card = cardOf(file, weight);
  card.querySelector(".pick-box").checked = chosenCards().length < maxStyles;
  paintings.set(card, file);
  gallery.querySelector(".add").after(card);
  register(card);
  arrange();
  return card;
}

function setChosen(card, on) {
  card.querySelector(".pick-box").checked = on;
}

/** Unticks all but `style`, one of chosen(); without one, all. */
export function chooseOnly(style = null) {
  for (const card of weights.keys()) setChosen(card, card === style?.card);
  arrange();
}

/** Ticks the library's style of this id, if it is there -> its card. */
export function choose(id, weight) {
  const card = [...weights.keys()].find((one) => one.querySelector(".pick-box").value === id);
  if (!card) return null;
  setChosen(card, true);
  setWeight(slider(card), weight);
  arrange();
  return card;
}

/** How the styles are numbered now, from 1; `numbers` are those of the styles on `cards`, 0 is the blend of all. */
export function renumber(numbers, cards) {
  const now = chosenCards();
  return numbers.map((number) => (number ? now.indexOf(cards[number - 1]) + 1 : 0));
}

export function addAll(files, limit) {
  const fit = files.filter((file) => file.size <= limit);
  for (const file of fit) add(file);
  if (fit.length < files.length) showError("style", `A painting may have up to ${limit / 1e6} MB. Use a smaller file.`);
}

async function fetchPainting(item) {
  const link = item.querySelector("a");
  const blob = await fetchBlob(link.href).catch(() => null);
  if (!blob) return;
  add(new File([blob], link.download), link.dataset.weight);
  item.remove();
}

/** The paintings that an earlier picture was made with. The notice keeps those that could not be fetched. */
export async function restore() {
  const notice = document.querySelector("#brought");
  if (!notice) return;
  for (const item of notice.querySelectorAll("li")) await fetchPainting(item);
  if (notice.querySelector("li")) showError("style", "A painting could not be fetched. Please add it, or reload the page.");
  else notice.remove();
}

for (const card of form.querySelectorAll(".pick")) register(card);
form.addEventListener("change", refuseTooMany);
form.addEventListener("change", (event) => event.target.matches(".pick-box") && arrange());
rows.addEventListener("input", () => showShares(chosenCards()));
