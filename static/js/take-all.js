// What is shown once is there to be copied: it is chosen whole as soon as it has the focus, and has it at once.

for (const field of document.querySelectorAll("[data-take-all]")) {
  field.addEventListener("focus", () => field.select());
  field.focus();
}
