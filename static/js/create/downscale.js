// A picture made small enough to be sent while a slider moves. The same picture gives the same bytes each time, so that
// the server knows the style again.

import { fitWithin } from "../shared/canvas.js";

const copiesByBlob = new WeakMap(); // Blob -> by side, the Promise of its small copy

export function downscale(blob, side) {
  if (!copiesByBlob.has(blob)) copiesByBlob.set(blob, new Map());
  const copies = copiesByBlob.get(blob);
  if (!copies.has(side)) copies.set(side, toJpeg(blob, side));
  return copies.get(side);
}

async function toJpeg(blob, side) {
  const picture = await createImageBitmap(blob);
  const canvas = Object.assign(document.createElement("canvas"), fitWithin(side, picture));
  const context = canvas.getContext("2d");
  context.fillStyle = "white"; // JPEG has no clear pixels
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
}
