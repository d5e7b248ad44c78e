// Where the tabs do not fit, the current one is brought into view; the page itself does not scroll.
for (const current of document.querySelectorAll(".tabs > [aria-current]")) {
  const tabs = current.parentElement;
  if (tabs.scrollWidth > tabs.clientWidth) {
    tabs.scrollLeft = current.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - current.offsetWidth) / 2;
  }
}
