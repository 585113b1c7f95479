// A picture that was painted here carries its recipe: brought as a photo, it is asked whether its settings are wanted.

import { extractRecipe } from "./embedded-recipe.js";
import * as controls from "./controls.js";
import * as photo from "../shared/photo.js";
import { putPhoto } from "../shared/picture-inputs.js";
import * as regions from "../regions/regions.js";
import { post } from "../shared/http.js";
import { blend, files } from "../shared/options.js";
import * as styles from "../shared/style-picker.js";

const form = document.querySelector("#paint");
const [notice, words, choices, useSettings, useAsPhoto] = [
  ...["#recipe", "#recipe-words", "#recipe-choices", "#recipe-use", "#recipe-over"],
].map((id) => document.querySelector(id));
const status = document.querySelector("#preview-status");
const OFFER = words.textContent;
let newest = null; // the picture that was looked at last
let offered = null; // a picture's file and its recipe, as the server read it

/** As the server reads it; null where it has none, or cannot be asked. */
async function recipeOf(file) {
  const part = await extractRecipe(file, files.maxBytes);
  if (!part) return null;
  const body = new FormData();
  body.append("picture", part, "picture");
  status.textContent = "Looking at this picture…";
  try {
    return await (await post(form.dataset.recipe, body)).json();
  } catch {
    return null; // then it is simply a photo
  } finally {
    status.textContent = "";
  }
}

/** True where the picture has a recipe: then they are asked what is to be done with it. */
export async function offer(file) {
  hide();
  newest = file;
  const recipe = await recipeOf(file);
  if (!recipe) return false;
  if (newest !== file) return true; // another one was brought meanwhile: nobody waits for this one
  offered = { file, recipe };
  words.textContent = OFFER;
  choices.hidden = false;
  notice.hidden = false;
  return true;
}

function hide() {
  offered = null;
  notice.hidden = true;
}

// --- using it ---

function toSliderWeights(weights) {
  const largest = Math.max(...weights);
  const scale = largest > 1 && largest <= blend.sliderMax ? 1 : blend.sliderMax / (largest || 1);
  return weights.map((weight) => weight * scale);
}

const styleFile = ({ file, name }) => new File([file], name, { type: "application/json" });

/** -> the card of each style, null for one that is not here. */
function chooseStyles(listed) {
  styles.chooseOnly();
  const weights = toSliderWeights(listed.map(({ weight }) => weight));
  return listed.map((style, index) => {
    const card = style.id ? styles.choose(style.id, weights[index]) : null;
    return card ?? (style.file ? styles.add(styleFile(style), weights[index]) : null);
  });
}

function showDone(notes) {
  const next = photo.current() ? [] : ["Now choose the photo to paint with them."];
  words.replaceChildren(...["Its settings are in place.", ...next, ...notes].flatMap((note) => [note, " "]));
  notice.focus();
}

async function restore({ options, styles: listed, masks, notes }) {
  const cards = chooseStyles(listed);
  controls.restore(options);
  const region_styles = options.region_styles && styles.renumber(options.region_styles, cards);
  await regions.restore({ masks, options: { ...options, region_styles } });
  const refined = options.method === "gatys" ? ["It was refined: paint this one, and refine it on its page."] : [];
  const lost = listed.filter((_, index) => !cards[index]);
  const wanted = lost.map(({ name }) => `The style “${name}” is not here: add its painting once more.`);
  showDone([...notes, ...refined, ...wanted]);
  form.dispatchEvent(new Event("pictures"));
}

useSettings.addEventListener("click", () => {
  choices.hidden = true; // a second press would bring the styles twice
  restore(offered.recipe);
});
useAsPhoto.addEventListener("click", () => {
  putPhoto(offered.file);
  hide();
  document.querySelector("#content").focus();
});

// Beside the zones a picture is dropped in vain, unless it has a recipe.
window.addEventListener("drop", ({ target, dataTransfer }) => {
  const [file] = dataTransfer.files;
  if (file && !target.closest("#content-zone, #styles")) offer(file);
});
