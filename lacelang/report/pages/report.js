"use strict";
// What moves on a report: filters, film strips, the lightbox, light and dark. Without it the page
// shows everything.

(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector, root = document) => root.querySelector(selector);

  // Light and dark

  const STORED = "lacelang-theme";

  function remembered() {
    try { return localStorage.getItem(STORED) || "auto"; } catch { return "auto"; }
  }

  function setTheme(theme) {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    try { localStorage.setItem(STORED, theme); } catch { /* a file may have no storage */ }
  }

  function themes() {
    const box = one("[data-theme-switch]");
    if (!box) return;
    box.hidden = false;
    setTheme(remembered());
    for (const radio of all("input", box)) {
      radio.checked = radio.value === remembered();
      radio.addEventListener("change", () => setTheme(radio.value));
    }
  }

  // Filters

  function wanted(form) {
    const data = new FormData(form);
    const bound = (name) => {
      const text = data.get(name);
      return text === null || text === "" ? null : Number(text);
    };
    return {
      statuses: new Set(data.getAll("status")),
      holds: data.get("holds") || "",
      key: data.get("key") || "",
      low: bound("low"),
      high: bound("high"),
    };
  }

  function fits(face, filter) {
    if (!filter.statuses.has(face.dataset.status)) return false;
    if (filter.holds && face.dataset.holds !== filter.holds) return false;
    if (!filter.key) return true;
    const value = JSON.parse(face.dataset.values)[filter.key];
    if (value === undefined) return false;
    return (filter.low === null || value >= filter.low) && (filter.high === null || value <= filter.high);
  }

  function filter() {
    const form = one("[data-filters]");
    if (!form) return;
    const chosen = wanted(form);
    const faces = all(".face");
    for (const face of faces) face.hidden = !fits(face, chosen);
    const left = (some) => some.filter((face) => !face.hidden).length;
    one("[data-count]", form).textContent = `${left(faces)} of ${faces.length} samples shown`;
    for (const list of all("[data-faces]")) {
      const own = all(".face", list);
      const note = one("[data-shown]", list.parentElement);
      if (note) note.textContent = left(own) < own.length ? `${left(own)} of ${own.length} shown` : "";
    }
  }

  function filters() {
    const form = one("[data-filters]");
    if (!form) return;
    form.hidden = false;
    form.addEventListener("input", filter);
    form.addEventListener("reset", () => setTimeout(filter, 0));
    form.addEventListener("submit", (event) => event.preventDefault());
    filter();
  }

  // Film strips

  function film(strip) {
    const slider = one("input[type=range]", strip);
    const moments = all(".moments > li", strip);
    const lines = JSON.parse(slider.dataset.lines);
    strip.classList.add("sliding");
    const move = () => {
      const at = Number(slider.value);
      moments.forEach((moment, place) => { moment.hidden = place !== at; });
      const text = `${at} of ${moments.length - 1}: ${lines[at]}`;
      slider.setAttribute("aria-valuetext", text);
      one("output", strip).textContent = text;
    };
    slider.addEventListener("input", move);
    move();
  }

  // Lightbox

  let from = null;

  const visible = () => all(".face:not([hidden]) .open");

  function show(button) {
    const box = one("[data-lightbox]");
    const figure = button.closest("figure");
    const buttons = visible();
    const group = button.closest(".group");
    const name = group ? one("h2, h3", group).textContent : "";
    const place = `${name} ${one(".number", figure).textContent}, ${buttons.indexOf(button) + 1} of ${buttons.length}`;
    from = button;
    one("[data-place]", box).textContent = place;
    box.setAttribute("aria-label", place);
    const picture = one("img", figure).cloneNode();
    // A server has the whole picture; a page of its own has this one.
    if (picture.dataset.full) picture.src = picture.dataset.full;
    one("[data-picture]", box).replaceChildren(picture);
    one("[data-caption]", box).replaceChildren(...[...one("figcaption", figure).cloneNode(true).childNodes]);
    if (!box.open) box.showModal();
  }

  function step(by) {
    const buttons = visible();
    if (!buttons.length) return;
    const at = buttons.indexOf(from);
    show(buttons[(at + by + buttons.length) % buttons.length]);
  }

  function lightbox() {
    const box = one("[data-lightbox]");
    if (!box) return;
    document.addEventListener("click", (event) => {
      const button = event.target.closest(".face .open");
      if (button) show(button);
      else if (event.target === box) box.close();
    });
    for (const button of all("[data-step]", box)) {
      button.addEventListener("click", () => step(Number(button.dataset.step)));
    }
    one("[data-close]", box).addEventListener("click", () => box.close());
    box.addEventListener("close", () => { if (from) from.focus(); });
    box.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const buttons = visible();
      if (event.key === "ArrowRight") step(1);
      else if (event.key === "ArrowLeft") step(-1);
      else if (event.key === "Home") show(buttons[0]);
      else if (event.key === "End") show(buttons[buttons.length - 1]);
      else return;
      event.preventDefault();
    });
  }

  function begin() {
    themes();
    filters();
    lightbox();
    all("[data-film]").forEach(film);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
