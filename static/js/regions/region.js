// One region: its mask, style and strength, and its row in the list.

import { Mask } from "./mask.js";
import { percent } from "../shared/percent.js";
import * as styles from "../shared/style-picker.js";

const { strength } = document.querySelector("#paint").elements;
const template = document.querySelector("#region-row");

export const coverage = (share) => (share > 0 && share < 0.005 ? "less than 1 %" : percent(share));

export class Region {
  mask = new Mask();
  share = 0; // of the picture that the mask covers
  card = null; // of its style; null: all of them mixed
  strength = null; // null: as for the whole picture
  row = template.content.firstElementChild.cloneNode(true);

  /** `on`: { choose, move, remove, fill, browse, changed }, each told of the region that it is about. */
  constructor(number, on) {
    this.number = number;
    this.#name();
    this.#listen(on);
  }

  get title() {
    return `Region ${this.number}`;
  }

  get isPainted() {
    return this.share > 0;
  }

  get colour() {
    return getComputedStyle(this.at(".region-swatch")).backgroundColor;
  }

  /** As the server counts styles, from 1; 0: all of them. */
  get styleNumber() {
    return styles.chosen().findIndex(({ card }) => card === this.card) + 1;
  }

  get ownStrength() {
    return this.strength ?? Number(strength.value);
  }

  at(selector) {
    return this.row.querySelector(selector);
  }

  measure() {
    this.share = this.mask.share();
  }

  // --- its row ---

  #name() {
    this.at(".region-name").textContent = this.title;
    this.at(".region-swatch").classList.add(`region-color-${this.number}`);
    this.at(".region-up").ariaLabel = `Move ${this.title} up`;
    this.at(".region-down").ariaLabel = `Move ${this.title} down`;
    this.at(".region-remove").ariaLabel = `Remove ${this.title}`;
    this.at(".region-fill").ariaLabel = `Fill ${this.title}`;
    this.#nameControl("select", "style");
    this.#nameControl("input", "strength");
  }

  #nameControl(kind, name) {
    const [control, label] = [this.at(kind), this.at(`.region-${name} label`)];
    control.id = label.htmlFor = `region-${this.number}-${name}`;
    label.prepend(Object.assign(document.createElement("span"), { className: "visually-hidden", textContent: `${this.title}: ` }));
  }

  #listen(on) {
    const [select, range] = [this.at("select"), this.at("input")];
    const onClick = (selector, act) => this.at(selector).addEventListener("click", act);
    onClick(".region-pick", () => on.choose(this));
    onClick(".region-up", () => on.move(this, -1));
    onClick(".region-down", () => on.move(this, 1));
    onClick(".region-remove", () => on.remove(this));
    onClick(".region-everywhere", () => on.fill(this, "everywhere"));
    onClick(".region-alpha", () => on.fill(this, "alpha"));
    onClick(".region-file", () => on.browse(this));
    onClick(".region-as-whole", () => {
      this.strength = null;
      on.changed(this);
      range.focus(); // the button is gone
    });
    range.addEventListener("input", () => {
      this.strength = Number(range.value);
      on.changed(this);
    });
    select.addEventListener("change", () => {
      this.card = styles.chosen()[select.value - 1]?.card ?? null;
      on.changed(this);
    });
  }

  #summary() {
    if (!this.isPainted) return "left out until something is brushed";
    const chosen = styles.chosen();
    const style = chosen.length > 1 ? [chosen[this.styleNumber - 1]?.name ?? "all styles mixed"] : [];
    return [coverage(this.share), ...style, `strength ${coverage(this.ownStrength)}`].join(" · ");
  }

  #showStyles() {
    const names = styles.chosen().map(({ name }, at) => new Option(`Only ${name}`, at + 1));
    const select = this.at("select");
    select.replaceChildren(new Option("All of them mixed", 0), ...names);
    select.value = this.styleNumber;
    this.at(".region-style").hidden = names.length < 2;
  }

  #showStrength() {
    const [range, text] = [this.at("input"), coverage(this.ownStrength)];
    range.value = this.ownStrength;
    range.setAttribute("aria-valuetext", text);
    this.at(".region-strength .value").textContent = text;
    this.at(".region-as-whole").hidden = this.strength === null;
  }

  show({ isChosen, place, count, isTransparent }) {
    this.row.classList.toggle("is-chosen", isChosen);
    this.at(".region-pick").setAttribute("aria-pressed", isChosen);
    this.at(".region-summary").textContent = this.#summary();
    this.at(".region-settings").hidden = !isChosen;
    this.at(".region-moves").hidden = count === 1;
    this.at(".region-up").disabled = place === 0;
    this.at(".region-down").disabled = place === count - 1;
    this.at(".region-alpha").hidden = !isTransparent;
    this.#showStyles();
    this.#showStrength();
  }
}
