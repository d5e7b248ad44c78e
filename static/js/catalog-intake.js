// The drop zone: dropped folders are walked, many photos go in several requests, and the bar shows what was sent.
// Without this script the form sends what was chosen, in one request.
import { csrfToken, marks } from "./person.js";

const form = document.querySelector("[data-drop]");
const FILES_A_REQUEST = 400;
const BYTES_A_REQUEST = 256 * 2 ** 20;

/** What is known of the photos beside it: it goes with each portion of them. */
const isTable = ({ file }) => /^metadata\.csv$/i.test(file.name);
const isArchive = ({ file }) => /\.zip$/i.test(file.name);
const isHidden = (name) => name.startsWith(".") || /^(thumbs\.db|desktop\.ini|__macosx)$/i.test(name);
/** Whether a chosen file counts: one of a folder may be clutter, one chosen by name is meant. */
const isMeant = (file) => !file.webkitRelativePath.split("/").some((part) => part && isHidden(part));

/** All files of a dropped entry with their paths, folders walked. What cannot be read is named in `unread`. */
async function filesOf(entry, unread) {
  if (isHidden(entry.name)) return [];
  const path = entry.fullPath.replace(/^\//, "");
  const found = [];
  try {
    if (entry.isFile) return [{ path, file: await new Promise((done, failed) => entry.file(done, failed)) }];
    const reader = entry.createReader();
    // A reader gives its entries in portions, until an empty one.
    for (;;) {
      const portion = await new Promise((done, failed) => reader.readEntries(done, failed));
      if (!portion.length) return found;
      for (const inner of portion) found.push(...(await filesOf(inner, unread)));
    }
  } catch {
    unread.push(path);
    return found;
  }
}

/** Each archive alone, photos in portions that a server accepts. */
function portions(files) {
  const made = files.filter(isArchive).map((each) => [each]);
  const tables = files.filter(isTable);
  let current = [];
  let bytes = 0;
  for (const each of files.filter((each) => !isArchive(each) && !isTable(each))) {
    if (current.length && (current.length >= FILES_A_REQUEST || bytes + each.file.size > BYTES_A_REQUEST)) {
      made.push([...tables, ...current]);
      current = [];
      bytes = 0;
    }
    current.push(each);
    bytes += each.file.size;
  }
  if (current.length || (tables.length && !made.length)) made.push([...tables, ...current]);
  return made;
}

/** `partial`: the tables among them tell of files that go in other requests, too. */
function send(files, partial, onProgress) {
  return new Promise((done, failed) => {
    const body = new FormData();
    body.append("csrfmiddlewaretoken", csrfToken());
    body.append("source", form.elements.source.value);
    body.append("encoding", form.elements.encoding.value);
    if (partial) body.append("partial", "1");
    for (const { file, path } of files) body.append("photos", file, path);
    const request = new XMLHttpRequest(); // fetch() tells nothing of what was sent so far
    request.open("POST", form.action || location.href);
    for (const [name, value] of Object.entries({ ...marks(), "X-Hilltop-Upload": "1", Accept: "application/json" })) {
      request.setRequestHeader(name, value);
    }
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded));
    request.addEventListener("load", () =>
      request.status === 201 ? done(request.response.url) : failed(new Error(request.response?.error?.message || request.response?.message || "")),
    );
    request.addEventListener("error", () => failed(new Error("")));
    request.send(body);
  });
}

if (form) {
  const inputs = form.querySelectorAll("input[type=file]");
  const zone = form.querySelector("[data-drop-zone]");
  const status = form.querySelector("[data-drop-status]");
  const bar = form.querySelector("[data-drop-bar]");
  const button = form.querySelector("button.primary");
  let chosen = [];

  const say = (text) => {
    status.hidden = !text;
    status.textContent = text;
  };
  const choose = (files, unread = []) => {
    chosen = files;
    const { saidReady, saidReadyOne, saidUnread } = form.dataset;
    const ready = files.length === 1 ? saidReadyOne : files.length ? saidReady.replace("{count}", String(files.length)) : "";
    const failed = saidUnread.replace("{count}", String(unread.length)).replace("{names}", unread.slice(0, 5).join(", "));
    say([ready, unread.length ? failed : ""].filter(Boolean).join(". "));
  };

  form.querySelector("[data-drop-hint]").hidden = false;
  for (const ours of form.querySelectorAll("[data-drop-choose]")) {
    ours.hidden = false;
    ours.previousElementSibling.classList.add("sr-only");
  }
  for (const input of inputs) {
    input.addEventListener("change", () => {
      for (const other of inputs) if (other !== input) other.value = "";
      const meant = [...input.files].filter(isMeant);
      choose(meant.map((file) => ({ file, path: file.webkitRelativePath || file.name })));
    });
  }
  for (const kind of ["dragenter", "dragover"]) {
    zone.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  zone.addEventListener("dragleave", (event) => {
    if (!zone.contains(event.relatedTarget)) zone.classList.remove("over");
  });
  zone.addEventListener("drop", async (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
    const unread = [];
    choose((await Promise.all(entries.map((entry) => filesOf(entry, unread)))).flat(), unread);
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!chosen.length) return say(form.dataset.saidNone);
    button.disabled = true;
    bar.hidden = false;
    const total = chosen.reduce((sum, { file }) => sum + file.size, 0);
    const megabytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)}\u00a0MB`;
    const parts = portions(chosen);
    let sent = 0;
    let url = "";
    try {
      for (const [index, part] of parts.entries()) {
        url = await send(part, parts.length > 1, (now) => {
          const so_far = Math.min(sent + now, total);
          bar.value = total ? so_far / total : 1;
          say(form.dataset.saidSending.replace("{sent}", megabytes(so_far)).replace("{total}", megabytes(total)));
        });
        sent += part.reduce((sum, { file }) => sum + file.size, 0);
        chosen = [...new Set(parts.slice(index + 1).flat())];
      }
      location.assign(parts.length === 1 ? url : location.href);
    } catch (error) {
      say(error.message || form.dataset.saidFailed);
      bar.hidden = true;
      button.disabled = false;
    }
  });
}
