// Before and after on one another, with a slider between. Without this script they stay side by side.

const compare = document.querySelector("#compare");
const slider = compare.querySelector(".compare-slider");
const range = slider.querySelector("input");

function show() {
  compare.style.setProperty("--split", `${range.value}%`);
  range.setAttribute("aria-valuetext", `${range.value} % photo, ${100 - range.value} % pastiche`);
}

const { width, height } = compare.querySelector(".compare-after img").attributes;

compare.style.setProperty("--ratio", width.value / height.value);
compare.style.setProperty("--natural", `${width.value}px`);
slider.hidden = false;
compare.classList.add("is-comparing");
range.addEventListener("input", show);
show(); // after a reload the browser may remember where it was
