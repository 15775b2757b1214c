"use strict";
// The page of a lesson. What it shows is the state that the server sends; answers are posted.

const byId = (id) => document.getElementById(id);
let state = null;
let current = 0;
let busy = false;
let waiting = 0;

async function ask(path, body) {
  const how = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const answer = await fetch(path, how);
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error || answer.statusText);
  return said;
}

async function send(path, body, then) {
  if (busy) return;
  busy = true;
  document.body.setAttribute("aria-busy", "true");
  showError(null);
  try {
    const before = state;
    state = await ask(path, body);
    if (then) then(before);
    draw(before);
  } catch (error) {
    showError(error instanceof TypeError ? "The command has ended; nothing is lost." : error.message);
  } finally {
    busy = false;
    document.body.removeAttribute("aria-busy");
  }
}

function showError(message) {
  byId("error").hidden = message === null;
  byId("error").textContent = message || "";
}

// Answers

const open = () => state.batch.findIndex((each) => each.answer === null);

function answer(place, value) {
  const index = state.batch[place].index;
  send("answer", { index, value }, () => {
    const left = state.batch.findIndex((each, at) => at > place && each.answer === null);
    current = left >= 0 ? left : open() >= 0 ? open() : place;
    say(`Image ${place + 1}: ${value === null ? "skipped" : shown(value)}.`);
    // The last answer of a sheet brings the next one.
    if (open() < 0) setTimeout(next, 0);
  });
}

function rest() {
  const indices = state.batch.filter((each) => each.answer === null).map((each) => each.index);
  if (indices.length) send("rest", { indices, value: 0 }, () => setTimeout(next, 0));
}

function undo() {
  send("undo", {}, (before) => {
    if (state.undone === null) say("Nothing to undo.");
    else {
      current = Math.max(0, state.batch.findIndex((each) => each.index === state.undone));
      say("The last answer is taken back.");
    }
  });
}

function next() {
  if (state.finished) return;
  say("The next images are chosen.");
  send("next", {}, () => { current = 0; });
}

function finish() {
  say("Training and saving.");
  send("finish", {}, () => { if (state.finished) say("Saved."); });
}

const shown = (value) => state.values.length ? state.values[value] : String(value);
const say = (text) => { byId("status").textContent = text; };

// Drawing

function draw(before) {
  document.title = `${state.attribute} · lacelang teach`;
  byId("title").textContent = `Teach ${state.model}: ${state.attribute}`;
  byId("kind").textContent = state.kind;
  const counts = Object.entries(state.counts).map(([name, count]) => `${name}: ${count}`).join(", ");
  byId("counts").textContent = `${state.labels} labels (${counts}), ${state.skipped} skipped`;
  drawEstimate();
  byId("asking").hidden = Boolean(state.finished);
  byId("saved").hidden = !state.finished;
  if (state.finished) {
    byId("quality").textContent = state.finished.quality;
    byId("use").textContent = state.finished.use;
    byId("contact").src = "contact.jpg";
    byId("saved").focus();
    return;
  }
  byId("rest").hidden = state.values.length !== 2 || open() < 0;
  byId("rest").firstChild.textContent = `The rest are ${state.values[0]} `;
  const same = before && before.batch.length === state.batch.length
    && before.batch.every((each, at) => each.index === state.batch[at].index);
  if (!same) drawSheet();
  drawAnswers();
}

function drawEstimate() {
  const found = state.estimate;
  const [, interval, value] = byId("scale").children;
  byId("scale").hidden = !found;
  byId("advice").hidden = !(found && found.good) || Boolean(state.finished);
  byId("advice").textContent = "This is good enough to use: finish, or go on.";
  if (!found) {
    byId("accuracy").textContent = "Accuracy is measured when every class has a few labels.";
    return;
  }
  byId("accuracy").textContent = `${found.text} with ${found.labels} labels`;
  byId("scale").setAttribute("aria-label", found.text);
  const low = found.low === null ? found.value : found.low;
  const high = found.high === null ? found.value : found.high;
  interval.setAttribute("x", String(100 * low));
  interval.setAttribute("width", String(Math.max(0, 100 * (high - low))));
  value.setAttribute("x", String(100 * found.value - 0.5));
  value.setAttribute("width", "1");
}

function drawSheet() {
  const sheet = byId("sheet");
  sheet.replaceChildren(...state.batch.map((each, place) => {
    const item = document.createElement("li");
    const picture = document.createElement("button");
    picture.className = "picture";
    const image = document.createElement("img");
    image.src = `image/${each.index}.jpg`;
    image.alt = `Image ${place + 1} of ${state.batch.length}, draw ${each.index}`;
    image.addEventListener("load", () => item.classList.add("loaded"));
    picture.append(image);
    picture.addEventListener("click", () => { current = place; pressed(place); });
    picture.addEventListener("focus", () => { current = place; mark(); });
    const classes = document.createElement("div");
    classes.className = "classes";
    classes.setAttribute("role", "group");
    classes.setAttribute("aria-label", `${state.attribute} of image ${place + 1}`);
    if (state.values.length) {
      state.values.forEach((name, value) => classes.append(choice(name, place, value)));
    } else {
      classes.append(number(place));
    }
    classes.append(choice("skip", place, null));
    item.append(picture, classes);
    return item;
  }));
  current = Math.max(0, open());
  focus();
}

function choice(name, place, value) {
  const button = document.createElement("button");
  button.textContent = name;
  button.dataset.value = value === null ? "skip" : String(value);
  button.addEventListener("click", () => answer(place, value));
  return button;
}

function number(place) {
  const input = document.createElement("input");
  input.type = "number";
  [input.min, input.max] = state.limits;
  input.step = "any";
  input.setAttribute("aria-label", `${state.attribute} of image ${place + 1}`);
  input.addEventListener("change", () => {
    if (input.value !== "" && input.checkValidity()) answer(place, Number(input.value));
  });
  return input;
}

// A click on a picture of a yes-or-no attribute says yes, and another one no.
function pressed(place) {
  if (state.values.length !== 2) return;
  answer(place, state.batch[place].answer === 1 ? 0 : 1);
}

function drawAnswers() {
  [...byId("sheet").children].forEach((item, place) => {
    const given = state.batch[place].answer;
    for (const each of item.querySelectorAll("button[data-value]")) {
      each.setAttribute("aria-pressed", String(given !== null && String(given) === each.dataset.value));
    }
    const input = item.querySelector("input");
    if (input && given !== null && given !== "skip") input.value = String(given);
  });
  mark();
}

function mark() {
  [...byId("sheet").children].forEach((item, place) => {
    item.classList.toggle("current", place === current);
  });
}

function focus() {
  const item = byId("sheet").children[current];
  if (item) item.querySelector(state.values.length ? ".picture" : "input").focus();
  mark();
}

// Keys

document.addEventListener("keydown", (event) => {
  if (!state || state.finished || event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target instanceof HTMLInputElement;
  if (typing && event.key !== "Enter") return;
  const across = Math.max(1, Math.round(byId("sheet").clientWidth / (byId("sheet").firstChild?.offsetWidth + 12 || 1)));
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across };
  const digit = /^[0-9]$/.test(event.key) ? Number(event.key) : null;
  if (event.key in steps) {
    current = Math.min(state.batch.length - 1, Math.max(0, current + steps[event.key]));
    focus();
  } else if (digit !== null && digit < state.values.length) {
    answer(current, digit);
  } else if (event.key === " " && !(event.target.dataset && event.target.dataset.value)) {
    answer(current, null);
  } else if (event.key === "u" || event.key === "Backspace") {
    undo();
  } else if (event.key === "r" && !byId("rest").hidden) {
    rest();
  } else if (event.key === "Enter" && !(event.target instanceof HTMLButtonElement && event.target.dataset.value)) {
    if (event.target.id === "finish" || event.target.id === "undo" || event.target.id === "rest") return;
    next();
  } else {
    return;
  }
  event.preventDefault();
});

byId("rest").addEventListener("click", rest);
byId("undo").addEventListener("click", undo);
byId("next").addEventListener("click", next);
byId("finish").addEventListener("click", finish);

async function begin() {
  await send("state");
  if (!state) return;
  const digits = state.values.map((name, at) => (name === String(at) ? `${at}` : `${at} ${name}`));
  byId("keys").textContent = state.values.length
    ? `Keys: ${digits.slice(0, 10).join(", ")}; space skips; arrows move; u takes back. Click a picture for ${state.values.length === 2 ? state.values[1] : "focus"}.`
    : "Type a number and press Enter; arrows move between pictures.";
  // Accuracy is measured beside the labelling.
  setInterval(async () => {
    if (busy || !state || state.finished || !state.measuring || waiting) return;
    waiting = 1;
    try {
      const fresh = await ask("state");
      if (!busy) { state.estimate = fresh.estimate; state.measuring = fresh.measuring; drawEstimate(); }
    } catch { /* the next answer says what is wrong */ } finally { waiting = 0; }
  }, 700);
}

begin();
