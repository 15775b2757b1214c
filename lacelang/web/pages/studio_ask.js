// Requests to the studio, whose errors are sentences.

export class AskError extends Error {}

// Called with true when the studio does not answer, and with false when it does again.
export const listeners = new Set();

let gone = false;

export function noteGone(now) {
  if (now === gone) return;
  gone = now;
  for (const tell of listeners) tell(gone);
}

export async function ask(path, body) {
  const how = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  let answer;
  try {
    answer = await fetch(path, how);
  } catch {
    noteGone(true);
    throw new AskError("The studio does not answer.");
  }
  noteGone(false);
  let said;
  try {
    said = await answer.json();
  } catch {
    throw new AskError(`The studio answered ${answer.status} ${answer.statusText}.`);
  }
  if (!answer.ok) throw new AskError(said.error || answer.statusText);
  return said;
}

// Calls `work` with the newest of the values that came while it was busy: never two at a time.
export function newest(work) {
  let busy = false;
  let next = null;
  return async function take(...value) {
    next = value;
    if (busy) return;
    busy = true;
    try {
      while (next) {
        const now = next;
        next = null;
        await work(...now);
      }
    } finally {
      busy = false;
    }
  };
}

export function later(milliseconds, work) {
  let timer = 0;
  const plan = (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), milliseconds);
  };
  plan.drop = () => clearTimeout(timer);
  return plan;
}

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "text") made.textContent = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}
