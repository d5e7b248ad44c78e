// The ruling that can be taken back, and for how long: the button counts down, and goes when its time is over.

let ticking = 0;

export function countDown(desk) {
  clearInterval(ticking);
  const button = desk.querySelector("[data-undo]");
  if (!button) return;
  const until = performance.now() + Number(button.dataset.left) * 1000;
  const seconds = button.querySelector("[data-undo-seconds]");
  const tick = () => {
    const left = Math.ceil((until - performance.now()) / 1000);
    seconds.textContent = desk.dataset.saidSeconds.replace("{n}", Math.max(0, left));
    if (left > 0) return;
    clearInterval(ticking);
    button.hidden = button.disabled = true;
  };
  ticking = setInterval(tick, 1000);
  tick();
}
