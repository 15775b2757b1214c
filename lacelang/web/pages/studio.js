// The studio: one program, the sliders that act on it, and its runs.
import { AskError, ask, element, later, listeners, newest, noteGone } from "./studio_ask.js";
import { Controls } from "./studio_controls.js";
import { Editor } from "./studio_editor.js";
import { Gallery } from "./studio_gallery.js";

const byId = (id) => document.getElementById(id);
const say = (text) => { byId("status").textContent = text; };

const opening = await ask("opening");
let checked = { problems: [], targets: [], controls: [], target: null, wrong: false, broken: false };
let target = null;
let face = null; // the face that is edited: run, group, index, and its edited group
let saved = opening.saved ? opening.text : null;
let file = opening.file;
let running = null;

function fail(error) {
  if (!(error instanceof AskError)) throw error;
  byId("error").hidden = false;
  byId("error").textContent = error.message;
}

const calm = () => { byId("error").hidden = true; };

// Editor

const editor = new Editor(byId("editor"), opening.text, opening.keywords, {
  run: () => { if (!byId("run").disabled) run(); },
  changed: (slid) => { noteSaved(); if (slid) check(); else checkSoon(); },
  complete: (text, at) => ask("complete", { text, at }).catch(() => null),
  hover: (text, at) => ask("hover", { text, at }).catch(() => null),
});

const check = newest(async () => {
  const text = editor.text;
  try {
    const found = await ask("check", { text, target });
    // Of a text that has changed meanwhile, there will be another answer.
    if (text === editor.text) showChecked(found);
  } catch (error) {
    fail(error);
  }
});
const checkSoon = later(120, check);

function showChecked(found) {
  checked = found;
  target = found.target;
  editor.show(found.problems, fix);
  byId("problems").replaceChildren(...found.problems.map(problemItem));
  byId("run").disabled = found.wrong;
  const select = byId("target");
  select.replaceChildren(...found.targets.map((each) => element("option", {
    value: each.name, text: each.kind === "edit" ? `${each.name} (edit)` : each.name,
  })));
  select.value = target ?? "";
  const now = found.targets.find((each) => each.name === target);
  editor.mark(found.targets.length > 1 && now ? now : null);
  byId("sliders").hidden = !found.targets.length;
  for (const name of ["count", "seed"]) {
    byId(`${name}-label`).hidden = found[name] === null;
    if (byId(name) !== document.activeElement) byId(name).value = found[name] ?? "";
  }
  byId("others").hidden = found.seed === null;
  byId("sliders-note").textContent = found.broken
    ? "The sliders wait until the text can be read."
    : found.controls.length ? "They change the program above." : "This model is not known.";
  controls.show(found.controls, found.broken);
}

function problemItem(each) {
  const place = element("button", { type: "button", class: "place", text: each.message });
  place.addEventListener("click", () => editor.goTo(each.from, each.to));
  const item = element("li", { class: each.severity }, element("span", { class: "code soft", text: each.code }), place);
  if (each.hint) item.append(element("span", { class: "hint", text: each.hint }));
  if (each.fix) {
    const apply = element("button", { type: "button", class: "fix", text: each.fix.title });
    apply.addEventListener("click", () => fix(each));
    item.append(apply);
  }
  return item;
}

function fix(problem) {
  editor.view.dispatch({ changes: problem.fix.changes, userEvent: "input.complete" });
  check();
  editor.view.focus();
}

// Sliders

const controls = new Controls(byId("controls"), (attribute, form, values) => slide({ attribute, form, values }));

// Moves faster than answers come are made at the last place only; and no two of them cross.
const pending = new Map();
const settle = newest(async () => {
  while (pending.size) {
    const [key, asked] = pending.entries().next().value;
    pending.delete(key);
    await change(asked);
  }
});

function slide(asked) {
  pending.set(asked.attribute ?? asked.number, asked);
  settle();
}

async function change(asked) {
  const text = editor.text;
  try {
    const made = await ask("set", { ...asked, text, target });
    calm();
    if (!made.changes.length) return;
    // Somebody typed meanwhile: that text counts.
    if (editor.change(made.changes, text) && byId("live").checked) liveSoon();
  } catch (error) {
    fail(error);
    await check();
  }
}

const liveSoon = later(200, () => run(true));

byId("target").addEventListener("change", (event) => { target = event.target.value; check(); });
for (const name of ["count", "seed"]) {
  byId(name).addEventListener("change", (event) => {
    if (event.target.value !== "" && event.target.checkValidity()) slide({ number: name, value: Number(event.target.value) });
  });
}
byId("others").addEventListener("click", () => slide({ number: "seed", value: (checked.seed ?? 0) + 1 }));

// Keys, wherever the focus is

document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.defaultPrevented) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "s") openSave();
  else if (event.key === "Enter" && !byId("run").disabled) run();
  else return;
  event.preventDefault();
});

// Runs

async function run(live = false) {
  liveSoon.drop();
  const text = editor.text;
  // Of what begins from one face, no others are made again.
  const faces = live && face && face.edited === target ? 1 : undefined;
  try {
    const answer = await ask("run", { text, live, target: live ? target : undefined, faces });
    calm();
    if (answer.run === null) {
      showProblems(answer.problems);
      return;
    }
    if (!live) say(`Run ${answer.run} begins.`);
  } catch (error) {
    fail(error);
  }
}

function showProblems(problems) {
  checked = { ...checked, problems, wrong: true };
  editor.show(problems, fix);
  byId("problems").replaceChildren(...problems.map(problemItem));
  byId("run").disabled = true;
  say(`The program has ${problems.length} error${problems.length === 1 ? "" : "s"}.`);
}

byId("run").addEventListener("click", () => run());
byId("stop").addEventListener("click", () => ask("stop", {}).catch(fail));

const gallery = new Gallery(byId("gallery"), {
  edit: editFace,
  use: (text) => { editor.replace(text); check(); editor.view.focus(); },
  face: (number, group, index) => { if (face) showFace(number, group, index); },
  over: (number, run) => {
    if (run.status === "failed") say(`Run ${number} failed.`);
    else if (!run.live) say(`Run ${number} ${run.status === "done" ? "is done" : "was stopped"}.`);
  },
});

function showProgress(stages) {
  byId("progress").replaceChildren(...stages.map((stage) => {
    const amount = stage.unit === "bytes"
      ? [stage.done, stage.total].map((each) => (each === null ? "?" : `${(each / 1e6).toFixed(1)} MB`))
      : [Math.floor(stage.done), stage.total ?? "?"];
    const bar = element("progress", { max: stage.total ?? false, value: stage.total === null ? false : stage.done, "aria-label": stage.name });
    return element("p", {}, element("span", { text: stage.name }), bar, element("span", { class: "soft", text: stage.total === null ? "" : amount.join(" of ") }));
  }));
}

function showState(state) {
  running = state.running;
  byId("stop").disabled = running === null;
  document.body.toggleAttribute("aria-busy", running !== null);
  showProgress(running === null ? [] : state.stages.length ? state.stages : [{ name: "preparing", done: 0, total: null, unit: "items" }]);
  gallery.show(state.runs);
}

const events = new EventSource("events");
events.addEventListener("message", (event) => { noteGone(false); showState(JSON.parse(event.data)); });
events.addEventListener("error", () => noteGone(true));
listeners.add((gone) => { byId("gone").hidden = !gone; if (!gone) check(); });

// One face

async function editFace(number, group, index) {
  const text = editor.text;
  try {
    const made = await ask("edit", { text, run: number, group, index });
    calm();
    if (text !== editor.text) return;
    // Before the change, which has the text checked for this target.
    target = made.target;
    face = { run: number, group, index, edited: made.target };
    controls.begin(made.readings);
    if (!editor.change(made.changes, text)) check();
    byId("focus").hidden = false;
    byId("focus-title").textContent = `This face: ${group} ${index}`;
    const before = gallery.find(group, index);
    setImage("before", before && before.source.source, `${group} ${index} before the edit`);
    setImage("after", null, "");
    say(`Sliders now change ${group} ${index}.`);
    byId("sliders").scrollIntoView({ block: "nearest" });
    byId("sliders-title").focus({ preventScroll: true });
    if (byId("live").checked) run(true);
  } catch (error) {
    fail(error);
  }
}

function setImage(id, source, alt) {
  const image = byId(id);
  image.hidden = !source;
  if (source) image.src = source;
  else image.removeAttribute("src");
  image.alt = alt;
}

byId("focus").addEventListener("load", ({ target: image }) => {
  image.classList.toggle("small", image.naturalWidth <= 160);
}, true);

// The edited group has one sample: the face.
function showFace(number, group, index) {
  if (group !== face.edited || index !== 0) return;
  const found = gallery.cards.get(number)?.faces.get(`${group}/${index}`);
  if (found) setImage("after", found.source, `${face.group} ${face.index} after the edit`);
}

byId("unfocus").addEventListener("click", () => {
  face = null;
  byId("focus").hidden = true;
  controls.begin({});
});

// Files

function noteSaved() {
  byId("file").textContent = file || "untitled";
  byId("unsaved").hidden = editor.text === saved;
}

function openSave() {
  byId("root").textContent = opening.root;
  byId("name").value = file || "untitled.lace";
  byId("exists").hidden = true;
  byId("save-now").textContent = "Save";
  replace = false;
  byId("save-dialog").showModal();
}

let replace = false;
byId("name").addEventListener("input", () => { replace = false; byId("exists").hidden = true; byId("save-now").textContent = "Save"; });
byId("save-dialog").querySelector("form").addEventListener("submit", async (event) => {
  if (event.submitter.value !== "save") return;
  event.preventDefault();
  const text = editor.text;
  try {
    const answer = await ask("save", { text, name: byId("name").value, replace });
    if (answer.exists) {
      replace = true;
      byId("exists").hidden = false;
      byId("exists").textContent = `${answer.exists}. Save again to replace it, or choose another name.`;
      byId("save-now").textContent = "Replace";
      return;
    }
    file = answer.file;
    saved = text;
    noteSaved();
    byId("save-dialog").close();
    say(`Saved as ${file}.`);
    check();
  } catch (error) {
    byId("exists").hidden = false;
    byId("exists").textContent = error.message;
  }
});
byId("save").addEventListener("click", openSave);
byId("format").addEventListener("click", async () => {
  try {
    editor.replace((await ask("format", { text: editor.text })).text);
    calm();
  } catch (error) {
    fail(error);
  }
});
byId("start").append(...Object.keys(opening.starts).map((name) => element("option", { value: name, text: name })));
byId("start").addEventListener("change", (event) => {
  const text = opening.starts[event.target.value];
  event.target.value = "";
  if (text === undefined) return;
  editor.replace(text);
  file = null;
  noteSaved();
  target = null;
  check();
  editor.view.focus();
});
window.addEventListener("beforeunload", (event) => { if (editor.text !== (saved ?? opening.text)) event.preventDefault(); });

noteSaved();
await check();
document.body.dataset.ready = "";
