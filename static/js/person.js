// For whom this page was made, and what each of its requests carries, so that nothing is stored under whoever has signed in
// on this computer since.

export const person = document.body.dataset.person ?? "";

/** Read each time: signing in again (in another tab) makes a new one. */
export function csrfToken() {
  const found = document.cookie.match(/(?:^|;\s*)(?:__Host-|__Secure-)?csrftoken=([^;]+)/);
  return found ? decodeURIComponent(found[1]) : document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
}

/** Headers of a request of this page. */
export const marks = () => ({ "X-CSRFToken": csrfToken(), "X-Hilltop-Person": person });
