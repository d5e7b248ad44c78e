// The panel that names the keys.

const panel = document.getElementById("desk-keys");

/** Opens or closes it, or as `open` says; whether that changed anything. */
export function toggleKeys(open = panel.hidden) {
  if (panel.hidden === !open) return false;
  panel.hidden = !open;
  const button = document.querySelector("#desk [data-keys-toggle]");
  button?.setAttribute("aria-expanded", String(open));
  (open ? document.getElementById("desk-keys-title") : button)?.focus();
  return true;
}
