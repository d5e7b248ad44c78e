// Rows of new classes are added on the page. Without this script the button asks the server for more of them.

const rows = document.querySelector("[data-class-rows]");
const model = document.querySelector("[data-class-row]");
const total = document.querySelector('input[name="classes-TOTAL_FORMS"]');

document.querySelector("[data-more-rows]")?.addEventListener("click", (event) => {
  const at = Number(total.value);
  if (!(at < Number(document.querySelector('input[name="classes-MAX_NUM_FORMS"]').value))) return;
  event.preventDefault();
  const place = document.createElement("template");
  place.innerHTML = model.innerHTML.replaceAll("__prefix__", at).replaceAll("__number__", at + 1);
  const row = place.content.firstElementChild;
  rows.append(row);
  total.value = at + 1;
  row.querySelector("input").focus();
});
