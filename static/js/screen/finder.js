// Finds one of many classes: by its code of two signs, typed anywhere, or by its name, in a field over the answers. What is
// found is chosen through the bar, as if its button had been pressed. It knows no photo.

import { grouped, matches } from "./matches.js";
import { $, say, settings, texts } from "./page.js";

const SAME_WORD_MS = 500; // letters that follow a code so soon are the rest of a word, and mean nothing by themselves

export class Finder {
  #announce;
  #ready;
  #onClass;
  #onLook;
  #shown = []; // rows that the list shows, in its order
  #active = -1;
  #chosenAt = -Infinity; // when a code was completed, or a letter of its word was typed

  /**
   * `ready()`: whether there is something to answer; `onClass(event, row)`: it was chosen; `onLook(row)`: it is looked at in
   * the list.
   */
  constructor({ announce, ready, onClass, onLook }) {
    this.#announce = announce;
    this.#ready = ready;
    this.#onClass = onClass;
    this.#onLook = onLook;
    const bar = $("bar");
    bar.addEventListener("input", ({ target }) => target.id === "find" && this.#list());
    bar.addEventListener("keydown", (event) => {
      if (event.target.id === "find" && !event.isComposing && this.#steer(event, event.key)) event.preventDefault();
    });
    bar.addEventListener("click", (event) => {
      if (event.target.closest("[data-find]")) this.open();
      const option = event.target.closest("[role=option]");
      if (option) this.#choose(event, this.#shown[Number(option.dataset.at)]);
    });
    window.visualViewport?.addEventListener("resize", () => this.#aboveKeyboard());
  }

  get isOpen() {
    return !$("finder").hidden;
  }

  /** Whether the key was meant for it, while nothing is typed into a field. */
  key(event, key) {
    const sign = /^[a-z0-9]$/.test(key);
    if (sign && event.timeStamp - this.#chosenAt < SAME_WORD_MS) {
      this.#chosenAt = event.timeStamp;
      return true;
    }
    if (key === "/") return this.open(), true;
    if (this.isOpen) return (sign && this.#second(event, key)) || this.#steer(event, key);
    if (!/^[a-z]$/.test(key) || !settings.classes.some(({ code }) => code.startsWith(key))) return false;
    if (this.#ready()) this.#show(key);
    return true;
  }

  open(typed = "") {
    if (!this.#ready()) return;
    this.#show(typed);
    $("find").focus({ preventScroll: true });
  }

  /** Says whether it was open. */
  close() {
    if (!this.isOpen) return false;
    const focused = $("finder").contains(document.activeElement);
    $("finder").hidden = true;
    $("answers").classList.remove("away");
    $("find").value = "";
    if (focused) $("main").focus({ preventScroll: true });
    return true;
  }

  #show(typed) {
    $("finder").hidden = false;
    $("answers").classList.add("away");
    $("find").value = typed;
    this.#aboveKeyboard();
    this.#list();
  }

  /** The second sign of a code; what is no code is the beginning of a name. */
  #second(event, sign) {
    const typed = $("find").value + sign;
    const row = settings.classes.find(({ code }) => code === typed);
    if (row) {
      this.#chosenAt = event.timeStamp;
      this.#choose(event, row);
    } else {
      this.open(typed);
    }
    return true;
  }

  #steer(event, key) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (step && this.#shown.length) this.#look((this.#active + step + this.#shown.length) % this.#shown.length);
    else if (key === "Enter") this.#choose(event, this.#shown[this.#active]);
    else if (key === "Escape" || (key === "Backspace" && document.activeElement !== $("find"))) this.close();
    else return Boolean(step);
    return true;
  }

  #choose(event, row) {
    if (!row) return;
    this.close();
    this.#onClass(event, row);
  }

  #list() {
    const typed = $("find").value;
    const found = matches(settings.classes, typed);
    const groups = typed ? [["", found]] : grouped(found);
    this.#shown = groups.flatMap(([, rows]) => rows);
    let at = 0;
    $("found").replaceChildren(
      ...groups.map(([group, rows]) => {
        const list = document.createElement("ul");
        list.setAttribute("role", "group");
        if (group) list.setAttribute("aria-label", group);
        if (group) list.append(part("li", group, { role: "presentation", class: "lb-group", dir: "auto" }));
        list.append(...rows.map((row) => option(row, at++, Boolean(typed))));
        return list;
      }),
    );
    $("found-none").hidden = found.length > 0;
    this.#active = -1;
    if (found.length) this.#look(0);
    this.#announce(found.length ? say(texts.found, { n: found.length, name: this.#shown[0].name }) : texts.foundNone);
  }

  #look(at) {
    $("found").querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    this.#active = at;
    const option = $(`found-${at}`);
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    $("find").setAttribute("aria-activedescendant", option.id);
    if ($("find").value) this.#onLook(this.#shown[at]);
  }

  /** A phone's keyboard lies over the page: what is found stays above it. */
  #aboveKeyboard() {
    if (!this.isOpen || !window.visualViewport) return;
    const covered = innerHeight - visualViewport.height - visualViewport.offsetTop;
    $("finder").style.bottom = covered > 1 ? `${covered}px` : "";
  }
}

function part(tag, text, attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function option(row, at, withGroup) {
  const element = part("li", "", { role: "option", id: `found-${at}`, "aria-selected": "false" });
  element.dataset.at = at;
  element.append(part("kbd", row.code), part("span", row.name, { dir: "auto" }));
  if (withGroup && row.group) element.append(part("small", row.group, { dir: "auto" }));
  return element;
}
