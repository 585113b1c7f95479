// The part of a picture's file that carries its recipe, to be sent in place of the whole.

const MARKERS = ["pastiche-recipe", '{"recipe"']; // one is somewhere in every file that has a recipe
const PNG_HEADER_BYTES = 4_000_000; // bytes of a PNG before its pixels, at most

const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
const latin1 = new TextDecoder("latin1");
const hasMarker = (data) => MARKERS.some((mark) => latin1.decode(data).includes(mark));

// A PNG of one pixel: what comes before the text, and after it.
const START = bytes("89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55");
const END = bytes("0000000a49444154789c636000000002000148afa4710000000049454e44ae426082");

/** Its chunks of text: length, name, data and checksum each. */
function textChunks(data) {
  const chunks = [];
  const view = new DataView(data.buffer);
  for (let at = 8; at + 12 <= data.length; ) {
    const [end, name] = [at + 12 + view.getUint32(at), latin1.decode(data.subarray(at + 4, at + 8))];
    if (name === "IDAT") break;
    if (["tEXt", "zTXt", "iTXt"].includes(name) && end <= data.length) chunks.push(data.subarray(at, end));
    at = end;
  }
  return chunks;
}

async function extractFromPng(file) {
  const chunks = textChunks(new Uint8Array(await file.slice(0, PNG_HEADER_BYTES).arrayBuffer())).filter(hasMarker);
  return chunks.length ? new Blob([START, ...chunks, END], { type: "image/png" }) : null;
}

/** null: there is no recipe. `limit`: bytes, of what can be sent. */
export async function extractRecipe(file, limit) {
  const first = new Uint8Array(await file.slice(0, 8).arrayBuffer());
  if (first.every((byte, at) => byte === START[at]) && first.length === 8) return extractFromPng(file);
  return file.size <= limit && hasMarker(await file.arrayBuffer()) ? file : null;
}
