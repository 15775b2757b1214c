// The runs with their faces, newest first; faces appear as they are decoded.
import { AskError, ask, element, newest } from "./studio_ask.js";

const STATUS = {
  waiting: "waits", running: "is running", done: "is done", stopped: "was stopped", failed: "failed",
};

const query = (group) => `?group=${encodeURIComponent(group)}`;

export class Gallery {
  // `on` has edit(run, group, index), use(text) and face(run, group, index, source).
  constructor(host, on) {
    this.host = host;
    this.on = on;
    this.cards = new Map();
    host.addEventListener("click", (event) => this.clicked(event));
  }

  // Takes in which runs there are, as the studio says: pairs of a number and a revision.
  show(runs) {
    const there = new Map(runs);
    for (const [number, card] of this.cards) {
      if (there.has(number)) continue;
      // The pictures of a slider's run stay until the first of the next one is there.
      const heir = card.live && runs.find(([other]) => other > number);
      if (heir) card.heir = heir[0];
      else this.remove(number);
    }
    for (const [number, revision] of there) {
      const card = this.cards.get(number) || this.add(number);
      if (card.revision !== revision) card.refresh(revision);
    }
    document.getElementById("empty").hidden = this.cards.size > 0;
  }

  add(number) {
    const card = new Card(number, this);
    this.cards.set(number, card);
    this.host.prepend(card.element);
    return card;
  }

  remove(number) {
    this.cards.get(number)?.element.remove();
    this.cards.delete(number);
  }

  // A run has a first face, or will have none: what it replaces goes.
  begun(card) {
    for (const [number, other] of [...this.cards]) if (other.heir !== undefined && number < card.number) this.remove(number);
  }

  clicked(event) {
    const button = event.target.closest("button[data-act]");
    if (!button) return;
    const card = this.cards.get(Number(button.closest("[data-run]").dataset.run));
    const face = button.closest("[data-index]");
    if (button.dataset.act === "edit") this.on.edit(card.number, face.dataset.group, Number(face.dataset.index));
    else if (button.dataset.act === "use") this.on.use(card.text);
  }

  // The newest run that has a face, to show it beside others.
  find(group, index) {
    const numbers = [...this.cards.keys()].sort((a, b) => b - a);
    for (const number of numbers) {
      const source = this.cards.get(number).faces.get(`${group}/${index}`);
      if (source) return { run: number, source };
    }
    return null;
  }
}

class Card {
  constructor(number, gallery) {
    this.number = number;
    this.gallery = gallery;
    this.revision = null;
    this.faces = new Map();
    this.lists = new Map();
    this.text = "";
    this.taken = 0;
    this.title = element("h2", { text: `Run ${number}` });
    this.status = element("p", { class: "soft status" });
    this.error = element("p", { class: "bad", role: "alert", hidden: true });
    this.results = element("ul", { class: "results", hidden: true });
    this.groups = element("div", { class: "groups" });
    this.zip = element("a", { class: "button", href: `runs/${number}.zip`, download: "", text: "Download all", hidden: true });
    this.report = element("a", { class: "button", href: `runs/${number}.html`, download: "", text: "Report", hidden: true });
    this.element = element("article", { class: "run", "data-run": number, "aria-label": `Run ${number}` },
      element("div", { class: "head" }, this.title, this.status,
        element("div", { class: "actions" }, this.zip, this.report,
          element("button", { type: "button", "data-act": "use", text: "Use this program" }))),
      this.error, this.results, this.groups);
    this.take = newest(() => this.fetch());
  }

  refresh(revision) {
    this.revision = revision;
    this.take();
  }

  async fetch() {
    let run;
    try {
      run = await ask(`runs/${this.number}?from=${this.taken}`);
    } catch (error) {
      // It was replaced meanwhile.
      if (error instanceof AskError) return;
      throw error;
    }
    this.live = run.live;
    this.title.textContent = `Run ${this.number}${run.live ? " (sliding)" : ""}`;
    this.text = run.text;
    this.element.dataset.status = run.status;
    const over = !["waiting", "running"].includes(run.status);
    const made = run.groups.reduce((sum, group) => sum + group.there, 0);
    const wanted = run.groups.reduce((sum, group) => sum + group.count, 0);
    this.status.textContent = `${STATUS[run.status]}${wanted ? `, ${made} of ${wanted} images` : ""}`;
    this.error.hidden = !run.error;
    this.error.textContent = run.error || "";
    this.results.hidden = !run.results.length && !run.notes.length;
    this.results.replaceChildren(...[...run.notes, ...run.results].map((text) => element("li", { text })));
    this.zip.hidden = this.report.hidden = !over || !made;
    for (const group of run.groups) this.list(group);
    for (const face of run.faces) this.face(face);
    this.taken = run.next;
    if (this.faces.size || over) this.gallery.begun(this);
    for (const face of run.faces) this.gallery.on.face(this.number, face.group, face.index, this.faces.get(`${face.group}/${face.index}`));
    if (over && !this.over) this.gallery.on.over(this.number, run);
    this.over = over;
  }

  list(group) {
    if (this.lists.has(group.name)) return;
    const list = element("ol", { class: "faces", "data-faces": "" });
    const title = element("h3", {}, element("bdi", { text: group.name }));
    const about = element("p", { class: "soft condition" }, element("code", { text: group.condition || "no condition: draws from the prior" }));
    this.lists.set(group.name, list);
    this.groups.append(element("section", { class: "group" }, title, about, list));
  }

  face({ group, index, html, small }) {
    const list = this.lists.get(group);
    const template = element("template");
    template.innerHTML = html;
    const item = template.content.firstElementChild;
    item.dataset.group = group;
    item.dataset.index = index;
    const full = `runs/${this.number}/full/${index}${query(group)}`;
    const image = item.querySelector("img");
    if (image) {
      image.dataset.full = full;
      if (small) list.classList.add("small");
    }
    const name = `${group} ${index}`;
    item.querySelector("figure").append(element("div", { class: "actions" },
      element("button", { type: "button", "data-act": "edit", "aria-label": `Edit this face: ${name}`, text: "Edit this face" }),
      element("a", { class: "button", href: full, download: "", "aria-label": `Download the PNG of ${name}`, text: "PNG" })));
    const at = [...list.children].findIndex((other) => Number(other.dataset.index) > index);
    list.insertBefore(item, at < 0 ? null : list.children[at]);
    this.faces.set(`${group}/${index}`, { source: image ? image.getAttribute("src") : "", full, item });
  }
}
