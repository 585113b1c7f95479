// Pictures on canvases: as large as is needed, and whether two have the same proportions.

import { masks } from "./options.js";

/** As large as the picture, or smaller, in the same proportions. */
export function fitWithin(side, { width, height }) {
  const scale = Math.min(1, side / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Whole pixels round a little, so the rule is the server's. */
export function haveSameProportions(one, other) {
  const off = Math.abs(one.height - (one.width * other.height) / other.width);
  return off <= Math.max(1, masks.tolerance * one.height);
}

/** Read often, so the browser keeps them where they are read. */
export function createContext({ width, height }) {
  const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", {
    willReadFrequently: true,
  });
  context.imageSmoothingQuality = "high";
  return context;
}

export async function drawScaled(blob, side) {
  const picture = await createImageBitmap(blob);
  const context = createContext(fitWithin(side, picture));
  context.drawImage(picture, 0, 0, context.canvas.width, context.canvas.height);
  picture.close();
  return context.canvas;
}

/** A small copy's pixels, red, green, blue and alpha in turn. */
export function samplePixels(canvas) {
  const small = createContext(fitWithin(256, canvas));
  const { width, height } = small.canvas;
  small.drawImage(canvas, 0, 0, width, height);
  return small.getImageData(0, 0, width, height).data;
}

export const hasTransparency = (canvas) => samplePixels(canvas).some((value, at) => at % 4 === 3 && value < 255);

/** As an element: the site's rules let pictures come as data, but no requests for them. */
export async function loadImage(address) {
  const picture = Object.assign(new Image(), { src: address });
  await picture.decode();
  return picture;
}

export const naturalSize = ({ naturalWidth, naturalHeight }) => ({ width: naturalWidth, height: naturalHeight });
