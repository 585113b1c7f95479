// Which files can be pictures that the server reads, by their first bytes: the others are refused at once. A kind that
// this browser cannot show may be among them; whether the rest of the file is whole, only the server finds out.

const HEADER_BYTES = 12; // bytes that tell a kind
const SIGNATURES = [
  /^\xff\xd8\xff/, // JPEG
  /^\x89PNG\r\n\x1a\n/,
  /^RIFF[^]{4}WEBP/,
  /^GIF8[79]a/,
  /^[^]{4}ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1|avi[fs])/, // HEIC and AVIF; what else begins so is a film
];

/** As Latin-1, so that a pattern may name bytes; TextDecoder's is Windows' own. */
async function readHeader(file) {
  try {
    return String.fromCharCode(...new Uint8Array(await file.slice(0, HEADER_BYTES).arrayBuffer()));
  } catch {
    return ""; // a folder, or a file that has gone
  }
}

export async function isPicture(file) {
  const header = await readHeader(file);
  return SIGNATURES.some((kind) => kind.test(header));
}

/** A style that was kept as its numbers. */
export const isStyleFile = async (file) => (await readHeader(file)).startsWith("{");
