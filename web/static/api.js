// Calls of our own API, as the person who is signed in.

/** What the API says no with: `status`, and `message`, a sentence for a person. */
export class Problem extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const token = () => document.querySelector("meta[name=csrf]")?.content ?? "";

/** Calls `path` under /api/v1; gives the JSON it answers and the ETag. Throws Problem. */
export async function call(method, path, body, headers = {}) {
  const sent = { Accept: "application/json", "X-CSRF-Token": token(), ...headers };
  if (body !== undefined && !(body instanceof FormData)) sent["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, {
      method,
      headers: sent,
      body: body === undefined || body instanceof FormData ? body : JSON.stringify(body),
      credentials: "same-origin",
    });
  } catch {
    throw new Problem(0, "docvigil can't be reached. Check the connection and try again.");
  }
  const value = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (!answer.ok) throw new Problem(answer.status, value?.detail ?? answer.statusText);
  return { value, etag: answer.headers.get("ETag") };
}

/** A key for a request that must not be done twice; use the same one when trying again. */
export const idempotencyKey = () => crypto.randomUUID();
