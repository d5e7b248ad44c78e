// Keys as people mean them, and fresh keys for what they did.

/** The key as it is meant: letters also when a Korean keyboard is switched on. */
function keyOf(event) {
  if (/^[\x20-\x7e]$/.test(event.key)) return event.key.toLowerCase();
  if (event.code.startsWith("Key")) return event.code.slice(3).toLowerCase();
  if (/^(Digit|Numpad)\d$/.test(event.code)) return event.code.at(-1);
  return event.key;
}

export const onControl = (event) => event.target.closest("button, a, summary"); // there, Space and Enter press

/** The key, where it is the screen's; "" where it is the browser's, somebody types, or a held key may not go on. */
function meant(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return "";
  const typing = event.target.closest("input:not([type=range], [type=checkbox]), textarea, select");
  if (typing) {
    if (event.key === "Enter" || event.key === "Escape") {
      event.preventDefault();
      typing.blur();
    }
    return "";
  }
  const key = keyOf(event);
  if (!event.repeat || key.startsWith("Arrow") || "+-=[]{}".includes(key)) return key;
  if (key === " " && !onControl(event) && !event.target.closest("input")) event.preventDefault(); // the page would scroll
  return "";
}

/** `handle(event, key)` says whether the key did something; the browser then does nothing more. */
export function listen(handle) {
  document.addEventListener("keydown", (event) => {
    const key = meant(event);
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
