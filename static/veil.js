// The photo with its masks as coloured veils over it, drawn as large as it is on the screen.

import { canvasOf } from "./canvases.js";

const CLEAR = { chosen: 0.6, other: 0.35 }; // how much of a veil is seen

/** `scene()` gives { photo, feather, veils: [{ mask, colour, isChosen }] }, the lowest first. */
export function setUpVeil(canvas, scene) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let scratch = canvasOf(canvas);
  let asked = false;

  function fitScreen() {
    const sharp = Math.min(2, window.devicePixelRatio);
    const [width, height] = [canvas.clientWidth * sharp, canvas.clientHeight * sharp].map(Math.round);
    if (!width || (canvas.width === width && canvas.height === height)) return;
    Object.assign(canvas, { width, height });
    scratch = canvasOf(canvas);
  }

  function drawVeil({ mask, colour, isChosen }, feather) {
    const { width, height } = canvas;
    scratch.clearRect(0, 0, width, height);
    scratch.filter = feather ? `blur(${(feather / 200) * Math.max(width, height)}px)` : "none"; // as the server does it
    scratch.drawImage(mask.canvas, 0, 0, width, height);
    scratch.filter = "none";
    scratch.globalCompositeOperation = "source-in";
    scratch.fillStyle = colour;
    scratch.fillRect(0, 0, width, height);
    scratch.globalCompositeOperation = "source-over";
    context.globalAlpha = isChosen ? CLEAR.chosen : CLEAR.other;
    context.drawImage(scratch.canvas, 0, 0);
    context.globalAlpha = 1;
  }

  function draw() {
    asked = false;
    const { photo, feather, veils } = scene();
    fitScreen();
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (photo) context.drawImage(photo, 0, 0, canvas.width, canvas.height);
    for (const veil of veils) drawVeil(veil, feather);
  }

  function show() {
    if (!asked) requestAnimationFrame(draw);
    asked = true;
  }

  new ResizeObserver(show).observe(canvas);
  return show;
}
