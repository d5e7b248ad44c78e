// Places as buttons: the number fields stay what is sent, and stay usable without this script.
const list = document.querySelector("[data-places]");

function renumber() {
  const rows = [...list.querySelectorAll("[data-class]")];
  rows.forEach((row, index) => {
    row.querySelector('input[name$="-place"]').value = index + 1;
    row.querySelector("[data-move='-1']").disabled = index === 0;
    row.querySelector("[data-move='1']").disabled = index === rows.length - 1;
  });
}

function button(step, text) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "button small";
  made.dataset.move = String(step);
  made.textContent = `${step < 0 ? "←" : "→"} ${text}`;
  return made;
}

if (list) {
  for (const row of list.querySelectorAll("[data-class]")) {
    const buttons = document.createElement("div");
    buttons.className = "place-buttons";
    buttons.append(button(-1, list.dataset.up), button(1, list.dataset.down));
    row.querySelector("[data-fields]").append(buttons);
  }
  list.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-move]");
    if (!pressed) return;
    const row = pressed.closest("[data-class]");
    const rows = [...list.querySelectorAll("[data-class]")];
    const other = rows[rows.indexOf(row) + Number(pressed.dataset.move)];
    if (!other) return;
    if (pressed.dataset.move === "-1") other.before(row);
    else other.after(row);
    renumber();
    pressed.focus();
    row.scrollIntoView({ block: "nearest" });
  });
  const rows = [...list.querySelectorAll("[data-class]")];
  // Keep the order that a refused form came back with.
  rows
    .sort((a, b) => a.querySelector('input[name$="-place"]').value - b.querySelector('input[name$="-place"]').value)
    .reverse()
    .forEach((row) => list.prepend(row));
  renumber();
}
