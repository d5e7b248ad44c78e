// What the page knows of each project whose question the sheet asks.

import { settings } from "../screen/page.js";

const known = new Map(settings.questions.map((row, place) => [row.project, { ...row, place }]));

/** { project, name, question, guideline, classes, minViewMs, undoSeconds, url, place }, or undefined. */
export const about = (project) => known.get(project);

/** Whether the server asks another sheet than this page shows: by a newer guideline, or other projects. */
export const isOlder = (guidelines) =>
  Object.entries(guidelines).some(([project, number]) => !known.has(project) || number > known.get(project).guideline);
