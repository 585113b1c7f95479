// The photo's colours and light mixed into a painting, in Oklab as on the server (model/imaging/color.py), so that the preview
// follows its dials without a request. https://bottosson.github.io/posts/oklab/

const TO_LINEAR = Float32Array.from({ length: 256 }, (_, level) => {
  const value = level / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});

const toSrgb = (linear) => 255 * (linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055);

/** RGBA, 0 to 255 -> light, green to red and blue to yellow of each pixel. */
export function oklab(rgba) {
  const lab = new Float32Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    const [r, g, b] = [TO_LINEAR[rgba[from]], TO_LINEAR[rgba[from + 1]], TO_LINEAR[rgba[from + 2]]];
    const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    lab[to] = 0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s;
    lab[to + 1] = 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s;
    lab[to + 2] = 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s;
  }
  return lab;
}

/** `painted` and `own` as of oklab() -> RGBA with shares 0 to 1 of one's own colours and light. */
export function blend(painted, own, { colours, light }) {
  const rgba = new Uint8ClampedArray((painted.length / 3) * 4).fill(255);
  for (let from = 0, to = 0; from < painted.length; from += 3, to += 4) {
    const L = painted[from] + (own[from] - painted[from]) * light;
    const a = painted[from + 1] + (own[from + 1] - painted[from + 1]) * colours;
    const b = painted[from + 2] + (own[from + 2] - painted[from + 2]) * colours;
    const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
    const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
    const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
    rgba[to] = toSrgb(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
    rgba[to + 1] = toSrgb(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
    rgba[to + 2] = toSrgb(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s);
  }
  return rgba;
}

function drawLab(bitmap, { width, height }) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return { canvas, context, lab: oklab(context.getImageData(0, 0, width, height).data) };
}

async function decode(photo, painted) {
  const [own, paint] = await Promise.all([createImageBitmap(photo), createImageBitmap(painted)]);
  const size = { width: paint.width, height: paint.height };
  return [drawLab(own, size), drawLab(paint, size)];
}

/** Two pictures as files -> what gives the painting as the dials { colours, light } say, as a file again. */
export function colorMixer(photo, painted) {
  let decoded = null; // decoded once a dial is turned
  return async (dials) => {
    if (!dials.colours && !dials.light) return painted;
    decoded ??= decode(photo, painted);
    const [own, { canvas, context, lab }] = await decoded;
    const pixels = blend(lab, own.lab, dials);
    context.putImageData(new ImageData(pixels, canvas.width, canvas.height), 0, 0);
    return new Promise((resolve) => canvas.toBlob(resolve));
  };
}
