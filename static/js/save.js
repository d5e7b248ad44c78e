// A file that the page made, saved under the name of the project that it is about.

export function save(blob, name) {
  const project = location.pathname.match(/\/p\/([^/]+)/)?.[1] || "hilltop";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${project}-${name}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
