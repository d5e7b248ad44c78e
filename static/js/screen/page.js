// What the server wrote into the page of a screen: its elements, its settings and what it says. It asks for nothing.

export const $ = (id) => document.getElementById(id);

const read = (id) => JSON.parse($(id).textContent);

export const settings = read("hilltop-settings"); // a new guideline puts its own in their place
export const texts = read("hilltop-texts");

/** "{n} photos" with its values filled in. */
export const say = (text, values = {}) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
