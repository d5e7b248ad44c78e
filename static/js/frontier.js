// The frontier picture: pointing at a band, or focusing it, shows its figures below; its next photos follow.
// One listener on the document, because live fragments replace the picture.

let chosen = "";
const thumbs = new Map();

function explain(button) {
  const picture = button.closest("[data-frontier]");
  const panel = picture.querySelector("[data-band-panel]");
  const said = button.parentElement.querySelector("[data-band-said]");
  for (const other of picture.querySelectorAll("[data-band]")) {
    other.setAttribute("aria-pressed", String(other === button));
  }
  chosen = button.dataset.band;
  panel.replaceChildren(...[...said.children].map((child) => child.cloneNode(true)));
  if (picture.dataset.bandUrl) photos(picture, panel, chosen);
}

async function photos(picture, panel, band) {
  const cut = band.lastIndexOf(":");
  const query = new URLSearchParams({ ladder: band.slice(0, cut), band: band.slice(cut + 1) });
  const url = `${picture.dataset.bandUrl}&${query}`;
  try {
    if (!thumbs.has(url)) {
      const response = await fetch(url, { credentials: "same-origin" });
      if (!response.ok) return;
      thumbs.set(url, await response.text());
      setTimeout(() => thumbs.delete(url), 30000);
    }
  } catch { return; } // the figures stand without photos
  const place = panel.querySelector("[data-band-photos]");
  if (place && chosen === band) place.innerHTML = thumbs.get(url) || "";
}

for (const kind of ["pointerover", "focusin", "click"]) {
  document.addEventListener(kind, (event) => {
    const button = event.target.closest?.("[data-band]");
    if (button && button.dataset.band !== chosen) explain(button);
  });
}

document.addEventListener("keydown", (event) => {
  const button = event.target.closest?.("[data-band]");
  if (!button || !["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
  const all = [...button.closest(".bands").querySelectorAll("[data-band]")];
  const at = all.indexOf(button);
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1 }[event.key];
  all[Math.max(0, Math.min(all.length - 1, to))].focus();
  event.preventDefault();
});

// The band that the page explains from the start shows its photos too.
const first = document.querySelector('[data-band][aria-pressed="true"]');
if (first) explain(first);

// A live fragment put a fresh picture in place: explain the band again that the person was looking at.
new MutationObserver(() => {
  if (!chosen) return;
  const picture = document.querySelector("[data-frontier]");
  const button = picture?.querySelector(`[data-band="${CSS.escape(chosen)}"]`);
  if (button && button.getAttribute("aria-pressed") !== "true") explain(button);
}).observe(document.getElementById("main"), { childList: true, subtree: true });
