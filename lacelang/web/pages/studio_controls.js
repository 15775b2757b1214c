// Sliders and choices: a view of what the program says of each attribute of one statement.
import { element } from "./studio_ask.js";

const FORMS = {
  continuous: [["any", "any"], ["is", "is"], ["above", "above"], ["below", "below"], ["between", "between"]],
  binary: [["any", "any"], ["1", "yes"], ["0", "no"], ["degree", "to a degree"]],
};

const plain = (value) => String(Math.round(value * 1e6) / 1e6);

export class Controls {
  // `set(attribute, form, values)` is called for every movement.
  constructor(host, set) {
    this.host = host;
    this.set = set;
    this.rows = new Map();
    this.held = null;
    this.readings = {};
  }

  // Shows the settings that the studio read in the text. A row that is being moved is left alone.
  show(controls, wrong) {
    const names = controls.map((each) => `${each.name} ${each.kind} ${each.about}`).join("\n");
    if (names !== this.names) {
      this.names = names;
      this.rows = new Map(controls.map((each) => [each.name, new Row(each, this)]));
      this.host.replaceChildren(...[...this.rows.values()].map((row) => row.element));
    }
    for (const each of controls) this.rows.get(each.name).show(each);
    this.host.toggleAttribute("inert", wrong);
    this.host.classList.toggle("stale", wrong);
  }

  // What classifiers read of the face that is edited: where sliders stand that say nothing.
  begin(readings) {
    this.readings = readings;
    for (const row of this.rows.values()) row.show(row.control);
  }
}

class Row {
  constructor(control, controls) {
    this.control = control;
    this.controls = controls;
    const id = `control-${control.name}`;
    const label = element("span", { id, class: "name", text: control.name, title: control.about });
    this.form = element("select", { "aria-label": `${control.name}: how it is asked for` });
    this.form.addEventListener("change", () => this.chosen());
    this.sliders = element("div", { class: "sliders" });
    this.note = element("p", { class: "soft beside", hidden: true });
    this.element = element("div", { class: "control", role: "group", "aria-labelledby": id, "data-attribute": control.name },
      label, this.form, this.sliders, this.note);
    const options = control.kind === "choice"
      ? [["any", "any"], ...control.classes.map((each) => [each, each])]
      : FORMS[control.kind];
    this.form.append(...options.map(([value, text]) => element("option", { value, text })));
    this.inText = element("option", { value: "text", text: "as the text says", disabled: true });
    this.low = this.slider("from");
    this.high = this.slider("to");
  }

  get range() {
    const { control } = this;
    return control.kind === "continuous" ? control : { low: 0, high: 1, step: 0.05, unit: null, points: {} };
  }

  slider(end) {
    const { low, high, step, unit, points } = this.range;
    const list = `points-${this.control.name}`;
    const input = element("input", { type: "range", min: low, max: high, step, list });
    const number = element("input", { type: "number", min: low, max: high, step: "any", class: "number" });
    const say = element("span", { class: "unit soft", text: unit || "" });
    input.addEventListener("pointerdown", () => { this.controls.held = this; });
    input.addEventListener("input", () => { this.moved(); });
    input.addEventListener("change", () => { this.controls.held = null; });
    number.addEventListener("change", () => {
      if (number.value === "" || !number.checkValidity()) return;
      input.value = number.value;
      this.moved();
    });
    const marks = element("datalist", { id: list }, ...Object.entries(points).map(
      ([name, value]) => element("option", { value, label: name })));
    const box = element("div", { class: "slider" }, input, number, say, ...(end === "from" ? [marks] : []));
    return { box, input, number, end };
  }

  label(slider, both) {
    const name = both ? `${this.control.name}, ${slider.end}` : this.control.name;
    slider.input.setAttribute("aria-label", name);
    slider.number.setAttribute("aria-label", `${name}, as a number`);
    const { unit, points } = this.range;
    const value = Number(slider.input.value);
    const point = Object.entries(points).find(([, at]) => at === value);
    slider.input.setAttribute("aria-valuetext", `${plain(value)}${unit ? ` ${unit}` : ""}${point ? `, ${point[0]}` : ""}`);
  }

  place(slider, value) {
    if (this.controls.held === this) return;
    slider.input.value = String(value);
    if (slider.number !== document.activeElement) slider.number.value = plain(value);
  }

  show(control) {
    this.control = control;
    const { form, values, beside, kind } = control;
    const { low, high } = this.range;
    const isText = form === "text";
    if (isText && !this.inText.isConnected) this.form.append(this.inText);
    if (!isText) this.inText.remove();
    this.form.value = kind !== "continuous" && form === "is" ? values[0] : form;
    const reading = this.controls.readings[control.name];
    const ranged = kind === "continuous" || form === "degree";
    const both = form === "between";
    const boxes = [...(ranged ? [this.low.box] : []), ...(both ? [this.high.box] : [])];
    // Not anew: what is being moved by keys would lose the focus.
    if (boxes.length !== this.sliders.childElementCount) this.sliders.replaceChildren(...boxes);
    this.sliders.classList.toggle("unset", form === "any" || isText);
    if (ranged) {
      const set = !["any", "text"].includes(form);
      this.place(this.low, set ? values[0] : typeof reading === "number" ? reading : (low + high) / 2);
      if (both) this.place(this.high, values[1]);
      this.label(this.low, both);
      this.label(this.high, both);
      if (!set) this.low.number.value = "";
    }
    this.note.hidden = !beside.length;
    this.note.textContent = beside.length ? `also in the text: ${beside.join(", ")}` : "";
    const now = kind !== "continuous" && typeof reading === "string" && form === "any" ? `now ${reading}` : "";
    this.form.title = now || control.about;
  }

  chosen() {
    const value = this.form.value;
    const { name, kind } = this.control;
    const { low, high } = this.range;
    if (value === "any") this.controls.set(name, "any", []);
    else if (value === "degree") this.controls.set(name, "degree", [0.5]);
    else if (kind !== "continuous") this.controls.set(name, "is", [value]);
    else {
      const at = Number(this.low.input.value);
      const quarter = (high - low) / 8;
      const ends = this.control.form === "between" ? this.control.values : [Math.max(low, at - quarter), Math.min(high, at + quarter)];
      this.controls.set(name, value, value === "between" ? ends.map((end) => Number(plain(end))) : [at]);
    }
  }

  moved() {
    const { name, kind, form } = this.control;
    const both = form === "between";
    for (const slider of [this.low, this.high]) {
      if (slider.number !== document.activeElement) slider.number.value = plain(Number(slider.input.value));
      this.label(slider, both);
    }
    // A number may be typed that lies between two steps.
    const [low, high] = [this.low, this.high].map((slider) => Number(slider.number.value));
    if (kind !== "continuous") this.controls.set(name, "degree", [low]);
    else if (both) this.controls.set(name, "between", [low, high]);
    else this.controls.set(name, ["above", "below"].includes(form) ? form : "is", [low]);
  }
}
