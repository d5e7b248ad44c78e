// How a photo lies: mirrored, and turned by quarter turns. Looking only; the photo stays what it is. It knows no element.
// "change" brings where a point went, unless all is as it was: (middle, photo) => [x, y], in pixels of the photo as it is seen
// now; `middle(size)` is the point in a picture of that size, as it was seen before.

const onItsSide = (photo) => ({ ...photo, width: photo.height, height: photo.width });

export class Orientation extends EventTarget {
  mirrored = false; // left and right change places, as the photo is seen
  turns = 0; // quarter turns clockwise, before it is mirrored

  get plain() {
    return !this.mirrored && this.turns === 0;
  }

  /** Whether the key meant it. */
  key(key) {
    if (key === "f") this.mirror();
    else if (key === "r") this.turn();
    else return false;
    return true;
  }

  /** On and off. */
  mirror() {
    this.#set(!this.mirrored, this.turns, ([x, y], { width }) => [width - x, y]);
  }

  /** A quarter further to the right, as it is seen. */
  turn() {
    this.#set(this.mirrored, this.turns + (this.mirrored ? 3 : 1), ([x, y], { height }) => [height - y, x]);
  }

  reset() {
    if (!this.plain) this.#set(false, 0);
  }

  /** `photo`, { width, height, … }, with the size that it is seen in. */
  seen(photo) {
    return photo && this.turns % 2 ? onItsSide(photo) : photo;
  }

  /** From a pixel of the photo to where it is seen, as CSS takes it: [a, b, c, d, e, f]. */
  matrix({ width, height }) {
    const [a, b, c, d, e, f] = [
      [1, 0, 0, 1, 0, 0],
      [0, 1, -1, 0, height, 0],
      [-1, 0, 0, -1, width, height],
      [0, -1, 1, 0, 0, width],
    ][this.turns];
    return this.mirrored ? [-a, b, -c, d, (this.turns % 2 ? height : width) - e, f] : [a, b, c, d, e, f];
  }

  /** Where in the photo lies what is seen in a box of { left, top, right, bottom }. */
  inPhoto(box, photo) {
    const [a, b, c, d, e, f] = this.matrix(photo);
    const back = (x, y) => [a * (x - e) + b * (y - f), c * (x - e) + d * (y - f)];
    const [[x, y], [otherX, otherY]] = [back(box.left, box.top), back(box.right, box.bottom)];
    return {
      left: Math.min(x, otherX), right: Math.max(x, otherX),
      top: Math.min(y, otherY), bottom: Math.max(y, otherY),
    };
  }

  #set(mirrored, turns, move = null) {
    const lay = this.turns % 2;
    this.mirrored = mirrored;
    this.turns = turns % 4;
    const went = (middle, photo) => {
      const before = lay ? onItsSide(photo) : photo;
      return move(middle(before), before);
    };
    this.dispatchEvent(new CustomEvent("change", { detail: move && went }));
  }
}
