// One mask: a canvas that is opaque where it was brushed and clear elsewhere, and the steps that made it, for undo.

import { createContext, samplePixels, fitWithin } from "../shared/canvas.js";

const MAX_UNDO = 60; // that can be undone

function bytesOf(url) {
  return Uint8Array.from(atob(url.slice(url.indexOf(",") + 1)), (letter) => letter.charCodeAt(0));
}

/** Lightness, where the picture is not clear, becomes what is opaque. */
function lightToAlpha(pixels) {
  const { data } = pixels;
  for (let at = 0; at < data.length; at += 4) {
    data[at + 3] = Math.round(((data[at] + data[at + 1] + data[at + 2]) / 3) * (data[at + 3] / 255));
    data[at] = data[at + 1] = data[at + 2] = 255;
  }
  return pixels;
}

export class Mask {
  word = null; // "alpha" or "everywhere", where it is exactly that
  #context = createContext({ width: 1, height: 1 });
  #before = null; // a copy of it, while it is being changed
  #box = null; // [left, top, right, bottom] of what is changing
  #past = [];
  #future = [];

  get canvas() {
    return this.#context.canvas;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  // --- strokes ---

  begin() {
    this.#before = createContext(this.canvas);
    this.#before.drawImage(this.canvas, 0, 0);
    this.#box = [Infinity, Infinity, -Infinity, -Infinity];
  }

  /** A round brush drawn along a line; all in pixels of the canvas. */
  line(from, to, width, erase) {
    const context = this.#context;
    context.globalCompositeOperation = erase ? "destination-out" : "source-over";
    context.strokeStyle = context.fillStyle = "white";
    context.lineWidth = width;
    context.lineCap = "round";
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
    context.beginPath(); // a line without length is not drawn
    context.arc(to.x, to.y, width / 2, 0, 2 * Math.PI);
    context.fill();
    context.globalCompositeOperation = "source-over";
    this.#grow([from, to], width / 2 + 1);
  }

  #grow(points, margin) {
    const [left, top, right, bottom] = this.#box;
    const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
    this.#box = [
      Math.max(0, Math.min(left, Math.floor(Math.min(...xs) - margin))),
      Math.max(0, Math.min(top, Math.floor(Math.min(...ys) - margin))),
      Math.min(this.canvas.width, Math.max(right, Math.ceil(Math.max(...xs) + margin))),
      Math.min(this.canvas.height, Math.max(bottom, Math.ceil(Math.max(...ys) + margin))),
    ];
  }

  end() {
    const [left, top, right, bottom] = this.#box;
    if (right > left && bottom > top) {
      this.#past.push({ word: this.word, ...this.#patch(this.#before, left, top, right - left, bottom - top) });
      this.#past.splice(0, this.#past.length - MAX_UNDO);
      this.#future = [];
      this.word = null;
    }
    this.#before = null;
  }

  /** All of it at once, as one step. */
  #whole(draw, word = null) {
    this.begin();
    this.#context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    draw(this.#context);
    this.#box = [0, 0, this.canvas.width, this.canvas.height];
    this.end();
    this.word = word;
  }

  clear() {
    this.#whole(() => {});
  }

  /** What a word stands for: everything, or where the photo (a picture of the canvas's size) is opaque. */
  fill(word, photo) {
    const { width, height } = this.canvas;
    this.#whole((context) => {
      if (word === "alpha") {
        context.drawImage(photo, 0, 0, width, height);
        context.globalCompositeOperation = "source-in";
      }
      context.fillStyle = "white";
      context.fillRect(0, 0, width, height);
      context.globalCompositeOperation = "source-over";
    }, word);
  }

  /** A picture that is white where the mask is. */
  take(picture) {
    const { width, height } = this.canvas;
    this.#whole((context) => {
      context.drawImage(picture, 0, 0, width, height);
      context.putImageData(lightToAlpha(context.getImageData(0, 0, width, height)), 0, 0);
    });
  }

  // --- undo: a step holds what was there before, and taking it back swaps the two ---

  #patch(context, x, y, width, height) {
    const { data } = context.getImageData(x, y, width, height);
    return { x, y, width, height, alpha: Uint8Array.from({ length: width * height }, (_, at) => data[4 * at + 3]) };
  }

  #swap({ word, x, y, width, height, alpha }) {
    const now = { word: this.word, ...this.#patch(this.#context, x, y, width, height) };
    const pixels = new ImageData(width, height);
    pixels.data.fill(255);
    alpha.forEach((value, at) => (pixels.data[4 * at + 3] = value));
    this.#context.putImageData(pixels, x, y);
    this.word = word;
    return now;
  }

  undo() {
    if (this.canUndo) this.#future.push(this.#swap(this.#past.pop()));
  }

  redo() {
    if (this.canRedo) this.#past.push(this.#swap(this.#future.pop()));
  }

  // --- its size, and what is sent ---

  /** Stretched to another size; the steps so far can be undone no more. */
  resize(size) {
    const { width, height } = this.canvas;
    if (width === size.width && height === size.height) return;
    const former = this.canvas;
    this.#context = createContext(size);
    this.#context.drawImage(former, 0, 0, size.width, size.height);
    this.#past = [];
    this.#future = [];
  }

  /** How much of it is opaque, 0 to 1. */
  share() {
    const pixels = samplePixels(this.canvas);
    let sum = 0;
    for (let at = 3; at < pixels.length; at += 4) sum += pixels[at];
    return sum / (255 / 4) / pixels.length;
  }

  /** A grey PNG, white where it is opaque. */
  png(side) {
    const grey = createContext(fitWithin(side, this.canvas));
    const { width, height } = grey.canvas;
    grey.fillRect(0, 0, width, height);
    grey.drawImage(this.canvas, 0, 0, width, height);
    return new Blob([bytesOf(grey.canvas.toDataURL("image/png"))], { type: "image/png" });
  }
}
