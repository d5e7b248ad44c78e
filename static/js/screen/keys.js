// Keys as people mean them, and fresh keys for what they did.

const SYMBOLS = "+-=[]{}?";
// Where those are on a US keyboard, for layouts that have none of them under their own names.
const BY_CODE = {
  BracketLeft: "[", BracketRight: "]", Minus: "-", Equal: "=",
  "Shift BracketLeft": "{", "Shift BracketRight": "}", "Shift Slash": "?",
}; // prettier-ignore

/**
 * The key as it is meant, on any layout; "" while an input method puts a character together. Digits are the keys of the
 * upper row wherever those give something else ("&" and "é" in France), and the number pad while it gives digits. Letters
 * and signs are what is printed on the key, or else where they are on a US keyboard (Korean, Cyrillic, Greek).
 */
export function keyOf(event) {
  const { key, code } = event;
  if (event.isComposing || key === "Process") return "";
  const printed = /^[\x20-\x7e]$/.test(key) ? key.toLowerCase() : "";
  if (/^[0-9]$/.test(printed)) return printed;
  const third = event.getModifierState("AltGraph"); // the third sign of a key is never meant by its place
  const number = third ? null : /^(Digit|Numpad)([0-9])$/.exec(code);
  if (number?.[1] === "Digit" && !event.shiftKey) return number[2];
  if (number?.[1] === "Numpad" && key.length === 1) return number[2];
  if (printed && (/[a-z]/.test(printed) || SYMBOLS.includes(printed))) return printed;
  if (third || (key.length > 1 && key !== "Dead")) return key; // "Enter", "ArrowLeft"
  const place = BY_CODE[event.shiftKey ? `Shift ${code}` : code];
  const letter = !printed && /^Key[A-Z]$/.test(code) ? code.slice(3).toLowerCase() : "";
  return place || letter || key;
}

/** Whether the browser has a use for it, with whichever modifier. "[" and the like need AltGr on many keyboards. */
export const isShortcut = (event) =>
  (event.ctrlKey || event.metaKey || event.altKey) && !event.getModifierState("AltGraph");

export const onControl = (event) => event.target.closest("button, a, summary"); // there, Space and Enter press

/** Whether it only goes on, as its key is held down, and may not. */
export const isHeld = (event, key) => event.repeat && !key.startsWith("Arrow") && !"+-=[]{}".includes(key);

/** The key, where it is the screen's; "" where it is the browser's, somebody types, or a held key may not go on. */
function meant(event) {
  if (isShortcut(event) || event.isComposing || event.defaultPrevented) return "";
  const typing = event.target.closest("input:not([type=range], [type=checkbox]), textarea, select");
  if (typing) {
    if (event.key === "Enter" || event.key === "Escape") {
      event.preventDefault();
      typing.blur();
    }
    return "";
  }
  const key = keyOf(event);
  if (!isHeld(event, key)) return key;
  if (key === " " && !onControl(event) && !event.target.closest("input")) event.preventDefault(); // the page would scroll
  return "";
}

/**
 * `handle(event, key)` says whether the key did something; the browser then does nothing more. `own(key)`: the usual key for
 * what a person chose this one for, "" where it does nothing.
 */
export function listen(handle, { own = (key) => key } = {}) {
  document.addEventListener("keydown", (event) => {
    const key = own(meant(event));
    if (key && handle(event, key)) event.preventDefault();
  });
}

/** 1 to 9, or 0 for any other key. */
export const digit = (key) => (/^[1-9]$/.test(key) ? Number(key) : 0);

export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  // Pages over plain HTTP have no randomUUID, but they have randomness.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
