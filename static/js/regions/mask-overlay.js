// The photo with its masks as coloured overlays, drawn as large as it is on the screen.

import { createContext } from "../shared/canvas.js";
import { masks } from "../shared/options.js";

const OPACITY = { chosen: 0.6, other: 0.35 }; // of a mask

/** `scene()` gives { photo, feather, overlays: [{ mask, colour, isChosen }] }, the lowest first. */
export function setUpMaskOverlay(canvas, scene) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let scratch = createContext(canvas);
  let isScheduled = false;

  function fitScreen() {
    const sharp = Math.min(2, window.devicePixelRatio);
    const [width, height] = [canvas.clientWidth * sharp, canvas.clientHeight * sharp].map(Math.round);
    if (!width || (canvas.width === width && canvas.height === height)) return;
    Object.assign(canvas, { width, height });
    scratch = createContext(canvas);
  }

  function drawMask({ mask, colour, isChosen }, feather) {
    const { width, height } = canvas;
    scratch.clearRect(0, 0, width, height);
    const deviation = ((feather / 100) * Math.max(width, height)) / masks.deviationsPerEdge;
    scratch.filter = feather ? `blur(${deviation}px)` : "none";
    scratch.drawImage(mask.canvas, 0, 0, width, height);
    scratch.filter = "none";
    scratch.globalCompositeOperation = "source-in";
    scratch.fillStyle = colour;
    scratch.fillRect(0, 0, width, height);
    scratch.globalCompositeOperation = "source-over";
    context.globalAlpha = isChosen ? OPACITY.chosen : OPACITY.other;
    context.drawImage(scratch.canvas, 0, 0);
    context.globalAlpha = 1;
  }

  function draw() {
    isScheduled = false;
    const { photo, feather, overlays } = scene();
    fitScreen();
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (photo) context.drawImage(photo, 0, 0, canvas.width, canvas.height);
    for (const overlay of overlays) drawMask(overlay, feather);
  }

  function show() {
    if (!isScheduled) requestAnimationFrame(draw);
    isScheduled = true;
  }

  new ResizeObserver(show).observe(canvas);
  return show;
}
