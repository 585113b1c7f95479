// Requests, whose refusals are errors that carry the server's sentence and the field it is about.

export class HttpError extends Error {
  constructor(message, { field = "form", code = "", status = 0, wait = 5 } = {}) {
    super(message);
    Object.assign(this, { field, code, status, wait });
  }
}

async function errorFrom(response) {
  const { error } = await response.json().catch(() => ({}));
  const wait = Number(response.headers.get("Retry-After")) || undefined;
  const { field, code, message = "The server could not do this. Please try again." } = error ?? {};
  return new HttpError(message, { field, code, status: response.status, wait });
}

export async function checkNetwork(promise) {
  try {
    return await promise;
  } catch (error) {
    throw error instanceof TypeError ? new HttpError("The server could not be reached. Please try again.") : error;
  }
}

async function request(url, options) {
  const response = await checkNetwork(fetch(url, options));
  if (!response.ok) throw await errorFrom(response);
  return response;
}

export const post = (url, body, options = {}) => request(url, { method: "POST", body, ...options });

export async function fetchBlob(url) {
  const response = await request(url);
  return checkNetwork(response.blob());
}
