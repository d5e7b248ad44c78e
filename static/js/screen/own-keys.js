// A person's own keys: what they press, as the usual key for it. A guideline of more classes may bring the usual ones back.

import { digit } from "./keys.js";
import { settings } from "./page.js";

/** `asked()`: whether the bar asks why, or for ticks. There digits are what is printed beside them, whatever else they do. */
export const ownKeys = (asked) => (key) => {
  if (asked() && digit(key)) return key;
  const usual = settings.keys[key] ?? key;
  return asked() && digit(usual) ? "" : usual;
};
