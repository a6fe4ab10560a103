// Requests to the review's server.

// What the server refuses, with its HTTP status; 0 where it does not answer.
export class ServerError extends Error {
  constructor(status, detail) { super(detail); this.status = status; }
}

// Sends a request, with a body by POST, and returns the answer's JSON.
export async function call(path, body) {
  const request = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  let answer;
  try {
    answer = await fetch(`api/${path}`, request);
  } catch {
    throw new ServerError(0, "The server does not answer, so nothing is saved. Start `ovct audit` again and open its link.");
  }
  if (answer.ok) return answer.json();
  const content = await answer.json().catch(() => ({}));
  const detail = typeof content.detail === "string" ? content.detail : `the server refused this (${answer.status})`;
  throw new ServerError(answer.status, detail);
}
