// What both screens begin with: the outbox of their person, what they say beside their photos, and the place of their tab. It
// knows no photo and asks for none.

import { deliver } from "./api.js";
import { Card } from "./card.js";
import { Outbox } from "./outbox.js";
import { settings } from "./page.js";
import { Status } from "./status.js";
import { Tabs } from "./tabs.js";

/** `name`: of the screen; `trouble()` and `held()`: as `Status` takes them; `send(entry)`: how the outbox delivers. `memory`:
 *  where the screen keeps what is its own. */
export function openScreen(name, { trouble, held, send = deliver }) {
  const outbox = new Outbox({ user: settings.user, send });
  const status = new Status({ outbox, trouble, held });
  const announce = (text) => status.announce(text);
  const toast = (text) => status.toast(text);
  const own = `${name} ${settings.user} ${settings.project}`;
  return { outbox, status, announce, toast, card: new Card({ announce }), tabs: new Tabs(own), memory: `hilltop-undo ${own}` };
}
