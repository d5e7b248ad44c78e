// What every page does: it names the person's time zone, whose day "today" is; its forms are taken after a sign-in in another tab, too, and what this person could not deliver on
// the labeling screen is delivered as soon as they are signed in, wherever they go.

import { csrfToken, person } from "./person.js";
import { deliver } from "./screen/api.js";
import { Outbox, hasPage } from "./screen/outbox.js";

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const secure = location.protocol === "https:" ? "; Secure" : "";
// Scripts lie in static/js of the path that Hilltop is served below: the cookie is for nothing else of the site.
const root = new URL("../../", import.meta.url).pathname;
if (zone) document.cookie = `hilltop-zone=${zone}; Path=${root}; Max-Age=31536000; SameSite=Lax${secure}`;

// A sign-in makes a new token; the server looks at whom the page was made for itself.
addEventListener("submit", ({ target }) => {
  const token = target.querySelector("input[name=csrfmiddlewaretoken]");
  if (token) token.value = csrfToken() || token.value;
}, { capture: true });

// The screens have an outbox of their own.
if (person && !document.body.classList.contains("labeling") && !(await hasPage(person))) {
  new Outbox({ user: person, send: deliver }).open();
}
