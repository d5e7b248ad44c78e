// A similar photo laid over the disputed one, at its zoom, place and brightness, as long as it is pointed at or has the focus:
// what differs jumps out where two pictures take each other's place.

export class Compare {
  #links;
  #stage;
  #over; // { figure, image } over the disputed photo, made when it is first wanted
  #shown = null; // the link whose photo lies there

  constructor(desk, stage) {
    this.#stage = stage;
    this.#links = [...desk.querySelectorAll("a.compare")];
    for (const link of this.#links) {
      // A mouse that rests where a photo of the next dispute comes to lie has pointed at nothing.
      link.addEventListener("pointermove", (event) => {
        if (event.pointerType !== "touch" && (event.movementX || event.movementY)) this.#show(link);
      });
      link.addEventListener("pointerleave", () => this.#hide(link));
      link.addEventListener("focus", () => { if (link.matches(":focus-visible")) this.#show(link); });
      link.addEventListener("blur", () => this.#hide(link));
    }
  }

  /** C goes through the similar photos; whether the key was that. */
  key(key) {
    if (key !== "c" || !this.#links.length) return false;
    const next = this.#links[(this.#links.indexOf(this.#shown) + 1) % this.#links.length];
    next.focus({ focusVisible: true, preventScroll: true });
    this.#show(next);
    return true;
  }

  /** The disputed photo again; whether another one lay over it. */
  release() {
    if (!this.#shown) return false;
    const link = this.#shown;
    this.#hide(link);
    if (document.activeElement === link) this.#stage.focus({ preventScroll: true });
    return true;
  }

  #show(link) {
    if (this.#shown === link) return;
    this.#shown = link;
    this.#over ??= this.#lay();
    const { image, line } = this.#over;
    const thumb = link.querySelector("img");
    image.src = thumb.currentSrc || thumb.src; // at once, and sharp a moment later
    image.hidden = line.hidden = false;
    line.textContent = thumb.alt;
    this.#stage.classList.add("comparing");
    const sharp = new Image();
    sharp.src = link.href;
    sharp.decode().then(() => { if (this.#shown === link) image.src = sharp.src; }, () => {});
  }

  #hide(link) {
    if (this.#shown !== link) return;
    this.#shown = null;
    this.#over.image.hidden = this.#over.line.hidden = true;
    this.#stage.classList.remove("comparing");
  }

  /** In the holder, which is what zoom, place and brightness are set on. */
  #lay() {
    const image = document.createElement("img");
    image.className = "compared";
    image.alt = "";
    image.draggable = false;
    this.#stage.querySelector("[data-holder]").append(image);
    const line = document.createElement("p");
    line.className = "compared-line";
    this.#stage.append(line);
    return { image, line };
  }
}
