// Many classes: what is typed narrows the buttons, and Enter presses the only one that is left.

export function findClasses(desk) {
  const field = desk.querySelector("[data-find-class]");
  if (!field) return;
  const buttons = [...field.form.querySelectorAll(".rule-class")];
  const left = () => buttons.filter((button) => !button.hidden);
  field.addEventListener("input", () => {
    const text = field.value.trim().toLocaleLowerCase();
    for (const button of buttons) {
      const name = button.querySelector("span").textContent; // without its key
      button.hidden = !name.toLocaleLowerCase().includes(text);
    }
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    if (left().length === 1) left()[0].click();
  });
}
