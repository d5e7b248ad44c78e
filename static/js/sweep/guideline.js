// A new guideline on the page of sweeps: between two grids the page is loaded anew, and the grid on loan stays ours.

import { settings } from "../screen/page.js";

/** Loads the page anew if it shows an older guideline than `number`, once for each; says whether. */
export function readAnew(number) {
  const tried = `hilltop-sweep-guideline:${settings.project}`;
  if (!(number > settings.guideline) || Number(sessionStorage.getItem(tried)) >= number) return false;
  sessionStorage.setItem(tried, number);
  location.reload();
  return true;
}
