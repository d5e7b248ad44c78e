// Finds among many classes on the page as one types. Without this script the form asks the server; what that found is the
// whole page then, and is left to it.

const form = document.querySelector("[data-find-class]");
const list = document.getElementById("classes");

function show() {
  const wanted = form.elements.find.value.trim().toLocaleLowerCase();
  const rows = [...list.querySelectorAll("[data-find-name]")];
  for (const row of rows) row.hidden = !row.dataset.findName.toLocaleLowerCase().includes(wanted);
  for (const group of list.querySelectorAll("[data-find-group]")) {
    group.hidden = !group.querySelector("[data-find-name]:not([hidden])");
  }
  const found = rows.filter((row) => !row.hidden);
  const { none, one, many } = form.dataset;
  form.querySelector("[data-found]").textContent = !wanted
    ? ""
    : found.length > 1
      ? many.replace("{n}", found.length)
      : found.length ? one : none;
  return found;
}

if (form && list && !("foundByServer" in form.dataset)) {
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => {
    event.preventDefault(); // what was typed in the fields below stays
    const [first] = show();
    if (!first) return;
    first.open = true;
    first.querySelector("summary").focus();
  });
}
