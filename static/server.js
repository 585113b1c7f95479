// Requests, whose refusals are errors that carry the server's sentence and the field it is about.

export class Refusal extends Error {
  constructor(message, { field = "form", code = "", status = 0, wait = 5 } = {}) {
    super(message);
    Object.assign(this, { field, code, status, wait });
  }
}

async function refusal(response) {
  const { error } = await response.json().catch(() => ({}));
  const wait = Number(response.headers.get("Retry-After")) || undefined;
  const { field, code, message = "The server could not do this. Please try again." } = error ?? {};
  return new Refusal(message, { field, code, status: response.status, wait });
}

export async function reached(promise) {
  try {
    return await promise;
  } catch (error) {
    throw error instanceof TypeError ? new Refusal("The server could not be reached. Please try again.") : error;
  }
}

async function asked(url, more) {
  const response = await reached(fetch(url, more));
  if (!response.ok) throw await refusal(response);
  return response;
}

export const post = (url, body, more = {}) => asked(url, { method: "POST", body, ...more });

export async function fetched(url) {
  const response = await asked(url);
  return reached(response.blob());
}
