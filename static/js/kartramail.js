/*
 * What the pages do beyond HTML and htmx. Each part stands alone and every page works without any of them.
 * All listeners sit on the document, so that fragments which arrive later need no setting up.
 */
"use strict";

const closestOf = (event, selector) =>
  event.target instanceof Element ? event.target.closest(selector) : null;

const inputOf = (message) => document.querySelector(`[aria-describedby~="${CSS.escape(message.id)}"]`);

/* ---------- What the script has to say, calmly ---------- */

const WORDS = {
  offline: "The connection is gone. What you typed is still here; try again in a moment.",
  signedOut: "You are signed out. Sign in again in another tab; what you typed stays here.",
  tooOld: "This page is too old. Reload it and try again.",
  tooOften: "That was a little too often. Wait a minute, then try again.",
  failed: "That did not work on our side. What you typed is still here; try again in a moment.",
  unchecked: "Could not check just now. You can still save.",
};

const wordsFor = (status) => {
  if (!status) return WORDS.offline;
  if (status === 400) return WORDS.tooOld;
  if (status === 401 || status === 403) return WORDS.signedOut;
  if (status === 429) return WORDS.tooOften;
  return WORDS.failed;
};

const closeButton = () => {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "button button-quiet", textContent: "Close" });
  button.addEventListener("mousedown", (event) => event.preventDefault()); // leaving a field would ask, and tell, again
  button.addEventListener("click", () => button.parentElement.remove());
  return button;
};

/* Where an answer was to stand, if it is announced there; else over the page, at its foot. There it moves nothing: a
   press that is on its way meets the button that it was meant for. */
const announce = (text, place) => {
  const region = place?.matches?.("[role=status]") ? place : document.getElementById("notices");
  const told = region?.querySelector("[data-from-script]");
  if (!region || (region !== place && told?.firstChild.textContent === text)) return;
  const banner = document.createElement("div");
  banner.className = "banner";
  const words = document.createElement("p");
  words.textContent = text;
  banner.append(words);
  if (region !== place) banner.append(closeButton());
  banner.dataset.fromScript = "";
  told?.remove();
  region.append(banner);
};

/* ---------- Live fields (R-LIVE) ---------- */

const SLOW = 300; // ms before "Checking…" is worth reading
const slowChecks = new WeakMap();

/* The line below a field that this request is about, if it is a check of one. */
const checkedMessage = (detail) =>
  detail.target?.classList?.contains("field-message") ? detail.target : null;

const showChecking = (message, isShown) => {
  const words = message.closest(".field")?.querySelector(".field-checking");
  if (words) words.hidden = !isShown;
};

document.addEventListener("htmx:configRequest", (event) => {
  const message = checkedMessage(event.detail);
  const input = message && inputOf(message);
  if (input) event.detail.headers["X-Field-Moment"] = document.activeElement === input ? "typing" : "left";
});

document.addEventListener("htmx:beforeRequest", (event) => {
  const message = checkedMessage(event.detail);
  if (!message) return;
  clearTimeout(slowChecks.get(message)?.timer);
  const timer = setTimeout(() => showChecking(message, true), SLOW);
  slowChecks.set(message, { timer, request: event.detail.xhr });
});

document.addEventListener("htmx:afterRequest", (event) => {
  const message = checkedMessage(event.detail);
  const running = message && slowChecks.get(message);
  if (!running || running.request !== event.detail.xhr) return;
  clearTimeout(running.timer);
  slowChecks.delete(message);
  showChecking(message, false);
});

/* A whole page in the place of a fragment is the sign-in page: the session has ended. */
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!/^\s*<!doctype/i.test(event.detail.serverResponse)) return;
  event.detail.shouldSwap = false;
  announce(WORDS.signedOut, event.detail.target);
});

/* The field and those that its verdict hangs on. When one of these changes, its own answer brings the message of this
   field along. */
const judgedTogether = (input) => [input.name, ...(input.dataset.judgedWith ?? "").split(" ")]
  .map((name) => name && input.form?.elements.namedItem(name)).filter((field) => field instanceof Element);

/* An answer about a value that is no longer in the field says nothing about the one that is. */
document.addEventListener("htmx:beforeSwap", (event) => {
  const message = checkedMessage(event.detail);
  const input = message && inputOf(message);
  if (!input) return;
  const asked = event.detail.requestConfig.formData;
  const hasChanged = (field) => (asked?.get(field.name) ?? field.value) !== field.value;
  if (judgedTogether(input).some(hasChanged)) event.detail.shouldSwap = false;
});

/* The same for the message of another field that comes along. */
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const message = checkedMessage(event.detail);
  const input = message && inputOf(message);
  const judged = event.detail.fragment?.querySelector("[data-judged]");
  if (input && judged && judged.dataset.judged !== input.value) event.detail.shouldSwap = false;
});

/* A box that is asked about already stays: it may have been ticked since, or be about to be. */
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  if (!target?.id?.endsWith("low-delivery")) return;
  const asked = (within) => within?.querySelector("[data-asked-about]")?.dataset.askedAbout;
  if (asked(target) && asked(target) === asked(fragment)) event.detail.shouldSwap = false;
});

/* Nor may an answer take the focus away: who has tabbed to the suggestion wants to press it. */
for (const swapping of ["htmx:beforeSwap", "htmx:oobBeforeSwap"]) {
  document.addEventListener(swapping, (event) => {
    const message = checkedMessage(event.detail);
    if (message?.contains(document.activeElement)) event.detail.shouldSwap = false;
  });
}

/* A part that renews itself waits while somebody is in it, has unfolded something, or looks twice at what it offers. In
   some browsers a press on the words of a dialog takes the focus out of it. */
document.addEventListener("htmx:beforeSwap", (event) => {
  const part = event.detail.target?.closest?.("[data-keeps-focus]");
  const isInUse = part?.contains(document.activeElement) || part?.querySelector("dialog[open], details[open]");
  if (isInUse) event.detail.shouldSwap = false;
});

const markValidity = (message) => {
  const input = inputOf(message);
  if (!input) return;
  if (message.querySelector('[data-status="error"]')) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
};

for (const swapped of ["htmx:afterSwap", "htmx:oobAfterSwap"]) {
  document.addEventListener(swapped, (event) => {
    const message = checkedMessage(event.detail);
    if (message) markValidity(message);
  });
}

const explainFailure = (event) => {
  const message = checkedMessage(event.detail);
  const status = event.detail.xhr?.status;
  if (!message || status === 401 || status === 403) announce(wordsFor(status), message ? null : event.detail.target);
  if (!message) return;
  message.textContent = WORDS.unchecked; // what stood here was about an earlier value
  markValidity(message);
};
for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, explainFailure);
}

/* Pressing a suggestion must not leave the field first: the check that follows would take the button away
   between press and release. */
document.addEventListener("mousedown", (event) => {
  if (closestOf(event, "[data-suggest-for], [data-rename-in], [data-line-of]")) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const button = closestOf(event, "[data-suggest-for]");
  const input = button?.form?.elements.namedItem(button.dataset.suggestFor);
  if (!input) return;
  event.preventDefault();
  input.value = button.dataset.suggestValue;
  input.focus();
  input.dispatchEvent(new Event("input", { bubbles: true }));
});

/* ---------- The inbox row follows the typing (R-PREVIEW) ---------- */

const firstLetter = (name) => {
  const [first] = new Intl.Segmenter().segment(name.trim());
  return first ? first.segment.toUpperCase() : "?";
};

const usual = new WeakMap(); // what a part says while its field is empty or back to what it was

const follow = (input) => {
  const part = input.dataset.previewSource;
  for (const place of document.querySelectorAll(`[data-preview="${CSS.escape(part)}"]`)) {
    if (!usual.has(place)) usual.set(place, place.textContent);
    const value = input.value.trim();
    const isUnchanged = input.value === input.defaultValue;
    if (isUnchanged) place.textContent = usual.get(place);
    else if (part === "reply") place.textContent = value ? `Reply goes to ${value}` : "There is no address to reply to";
    else place.textContent = value || "\u2026";
  }
  if (part !== "name") return;
  for (const place of document.querySelectorAll('[data-preview="initial"]')) {
    place.textContent = firstLetter(input.value);
  }
};

document.addEventListener("input", (event) => {
  const input = closestOf(event, "[data-preview-source]");
  if (input) follow(input);
});

/* ---------- A sender is added inside a picker ---------- */

/* Its fields stand inside another form, which must not take a change of theirs for one of its own. */
document.addEventListener("change", (event) => {
  if (closestOf(event, "[data-new-sender]")) event.stopPropagation();
}, true);

/* Enter adds the sender; it does not send the form around. */
document.addEventListener("keydown", (event) => {
  if (event.isComposing) return; // this Enter takes what an input method proposes
  const part = event.key === "Enter" && event.target.matches("input") && closestOf(event, "[data-new-sender]");
  if (!part) return;
  event.preventDefault();
  part.querySelector('button[value^="save:"]').click();
});

/* Only one is added at a time: the names of the fields are the same in every picker. */
document.addEventListener("htmx:beforeRequest", (event) => {
  if (!event.detail.elt.matches('[name=add_sender][value^="open:"]')) return;
  for (const part of document.querySelectorAll("[data-new-sender]")) {
    part.querySelector('button[value^="close:"]').click();
  }
});

document.addEventListener("htmx:load", (event) => {
  event.detail.elt.querySelector?.("[data-takes-focus]")?.focus();
});

/* The sender that was added is chosen, which is news for the form around. */
document.addEventListener("htmx:load", (event) => {
  const chosen = event.detail.elt.matches?.(".picker-option") && event.detail.elt.querySelector("input:checked");
  if (!chosen) return;
  chosen.focus();
  chosen.dispatchEvent(new Event("change", { bubbles: true }));
});

/* ---------- Words of a notification: variables at hand, faults with their line (R-VARS) ---------- */

let lastWords = null; // the field that one wrote into last

document.addEventListener("focusin", (event) => {
  lastWords = closestOf(event, "[data-template]") ?? lastWords;
});

const changed = (field) => field.dispatchEvent(new Event("input", { bubbles: true }));

const wordOf = (field) => field.labels[0].firstChild.textContent.trim().toLowerCase();

/* Where nothing was written yet there is no cursor: the end of the first field is a place that one sees. */
document.addEventListener("click", (event) => {
  const button = closestOf(event, "[data-insert]");
  if (!button) return;
  const form = document.getElementById(button.dataset.insertInto);
  const isKnown = lastWords?.isConnected && lastWords.form === form;
  const field = isKnown ? lastWords : form.querySelector("[data-template]");
  if (!isKnown) field.setSelectionRange(field.value.length, field.value.length);
  field.focus();
  field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
  changed(field);
  document.getElementById("inserted").textContent = `Inserted into the ${wordOf(field)}.`;
});

const CODE = /\{\{[^]*?\}\}|\{%[^]*?%\}/g;

/* The right name of a variable in the place of a wrong one, wherever code uses it. */
document.addEventListener("click", (event) => {
  const button = closestOf(event, "[data-rename-in]");
  const field = button?.form?.elements.namedItem(button.dataset.renameIn);
  if (!field) return;
  event.preventDefault();
  const wrong = new RegExp(`(?<![\\w.])${button.dataset.rename.replace(/[^\w]/g, "\\$&")}(?![\\w-])`, "g");
  field.value = field.value.replace(CODE, (code) => code.replace(wrong, () => button.dataset.renameTo));
  field.focus();
  changed(field);
});

document.addEventListener("click", (event) => {
  const button = closestOf(event, "[data-line-of]");
  const field = button && document.getElementById(button.dataset.lineOf);
  if (!field) return;
  const before = field.value.split("\n").slice(0, button.dataset.line - 1);
  const start = before.join("\n").length + (before.length ? 1 : 0);
  const end = field.value.indexOf("\n", start);
  field.blur(); // a field that is focused anew scrolls to its cursor
  field.setSelectionRange(start, end < 0 ? field.value.length : end);
  field.focus();
});

/* ---------- The mail in its frame follows the typing (R-GLOBAL) ---------- */

const PAUSE = 600; // ms after the last key stroke
const following = new WeakMap();

/* Each look has a frame of its own, shown once it is there: nothing flickers, and the way back in the browser's history
   does not lead through all of them. What cannot be shown is answered by nothing, and the old one stays. */
const followMail = (form) => {
  const shown = document.querySelector(`iframe[name="${CSS.escape(form.dataset.frame)}"]:not([hidden])`);
  if (!shown) return;
  for (const late of shown.parentElement.querySelectorAll("iframe[hidden]")) late.remove();
  const next = shown.cloneNode();
  next.removeAttribute("src");
  next.name = `${form.dataset.frame}-${Date.now()}`;
  next.hidden = true;
  shown.after(next);
  const sent = document.createElement("form");
  Object.assign(sent, { method: "post", action: form.dataset.follow, target: next.name, hidden: true });
  for (const [name, value] of new FormData(form)) {
    const field = document.createElement("textarea");
    Object.assign(field, { name, value });
    sent.append(field);
  }
  document.body.append(sent);
  sent.submit();
  sent.remove();
  next.addEventListener("load", () => {
    shown.remove();
    next.name = form.dataset.frame;
    next.hidden = false;
  }, { once: true });
};

document.addEventListener("input", (event) => {
  const form = closestOf(event, "[data-template]")?.form;
  if (!form?.dataset.follow) return;
  clearTimeout(following.get(form));
  following.set(form, setTimeout(followMail, PAUSE, form));
});

/* ---------- Copying ---------- */

const COPIED_FOR = 2000; // ms

document.addEventListener("click", async (event) => {
  const button = closestOf(event, "[data-copy]");
  if (!button) return;
  const word = button.querySelector("[data-copy-word]");
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    word.textContent = "Copied";
  } catch {
    // No clipboard without https: mark the value, so that one key stroke copies it.
    const text = button.parentElement.querySelector("code") ?? button.parentElement.nextElementSibling;
    getSelection().selectAllChildren(text);
    word.textContent = "Selected";
  }
  button.setAttribute("aria-live", "polite");
  setTimeout(() => { word.textContent = "Copy"; }, COPIED_FOR);
});

/* ---------- Menus and the second look ---------- */

const closeMenus = (except) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(except)) menu.open = false;
  }
};

document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("focusin", (event) => closeMenus(event.target));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = closestOf(event, "details[data-menu][open]") ?? document.querySelector("details[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

/* A button may be answered elsewhere on the page: the answer comes into view. A menu makes way, and as its button is
   gone then, the focus goes there, too. */
const sentByMenu = new WeakSet();

document.addEventListener("htmx:beforeRequest", (event) => {
  const menu = closestOf(event, "details[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  sentByMenu.add(event.detail.xhr);
});

document.addEventListener("htmx:afterRequest", (event) => {
  const { requestConfig, target, xhr } = event.detail;
  if (requestConfig?.verb !== "post" || !target?.matches("[role=status]:not(.field-message)")) return;
  if (sentByMenu.has(xhr)) target.focus({ preventScroll: true });
  target.scrollIntoView({ block: sentByMenu.has(xhr) ? "center" : "nearest" });
});

/* An answer that grows while one looks at it stays in view. */
document.addEventListener("htmx:afterSettle", () => {
  const looked = document.activeElement;
  if (looked?.matches("[role=status][tabindex]")) looked.scrollIntoView({ block: "nearest" });
});

/* The part that would unfold is shown as a dialog instead, and put back when it closes. */
const openDialog = (details) => {
  const closing = details.nextElementSibling; // closed just now, and the browser has not said so yet
  if (closing?.matches(".confirm-dialog")) {
    closing.showModal();
    return;
  }
  const panel = details.querySelector(".confirm-panel");
  const dialog = document.createElement("dialog");
  dialog.className = "confirm-dialog";
  dialog.setAttribute("aria-labelledby", panel.getAttribute("aria-labelledby"));
  const keep = panel.querySelector("[data-close]");
  keep.hidden = false;
  keep.autofocus = true;
  dialog.append(panel);
  details.after(dialog);
  dialog.addEventListener("close", () => {
    if (dialog.open) return; // it was opened again meanwhile
    details.append(panel);
    dialog.remove();
    details.querySelector("summary").focus();
  });
  dialog.showModal();
};

document.addEventListener("click", (event) => {
  const summary = closestOf(event, "details[data-confirm] > summary");
  if (summary) {
    event.preventDefault();
    openDialog(summary.parentElement);
  } else if (closestOf(event, "[data-close]") || event.target instanceof HTMLDialogElement) {
    closestOf(event, "dialog")?.close();
  }
});

/* ---------- Forms ---------- */

const PATIENCE = 15000; // ms after which a form may be sent again, should no page have come

const release = (form) => {
  delete form.dataset.busy;
  for (const button of document.querySelectorAll("button[aria-disabled]")) {
    if (button.form === form) button.removeAttribute("aria-disabled");
  }
};

/* A second press while the first is on its way changes nothing. The button is not disabled, or the browser would
   leave out its name and value. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  const isElsewhere = event.submitter?.formTarget; // the page stays, and so does the form
  if (event.defaultPrevented || isElsewhere || form.matches("[hx-post], [hx-get]")) return;
  if ("busy" in form.dataset) {
    event.preventDefault();
    return;
  }
  form.dataset.busy = "";
  event.submitter?.setAttribute("aria-disabled", "true");
  setTimeout(release, PATIENCE, form);
});

addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-busy]")) release(form);
});

document.addEventListener("click", (event) => {
  const button = closestOf(event, "[data-reveal]");
  if (!button) return;
  const input = document.getElementById(button.getAttribute("aria-controls"));
  const isShown = input.type === "password";
  input.type = isShown ? "text" : "password";
  button.setAttribute("aria-pressed", String(isShown));
});

const prepare = (root) => {
  if (matchMedia("(max-width: 47.99rem)").matches) {
    for (const phone of root.querySelectorAll(".mail-widths [value=phone]")) phone.checked = true;
  }
  for (const button of root.querySelectorAll("[data-reveal]")) button.hidden = false;
};

/* ---------- Times ---------- */

const UNITS = [[45, 1, ""], [3570, 60, "min"], [84600, 3600, "h"], [2592000, 86400, "d"]]; // seconds

const relative = (seconds) => {
  const age = Math.abs(seconds);
  const unit = UNITS.find(([limit]) => age < limit);
  if (!unit) return null;
  if (!unit[2]) return "just now";
  const words = `${Math.round(age / unit[1])} ${unit[2]}`;
  return seconds < 0 ? `in ${words}` : `${words} ago`;
};

const refreshTimes = () => {
  for (const time of document.querySelectorAll("time[data-relative]")) {
    time.textContent = relative((Date.now() - Date.parse(time.dateTime)) / 1000) ?? time.title;
  }
};
setInterval(refreshTimes, 30000);

/* ---------- When the page is there ---------- */

prepare(document);
for (const form of document.querySelectorAll("form[data-typed]")) followMail(form);
document.addEventListener("htmx:load", (event) => prepare(event.detail.elt));
document.querySelector("[data-form-errors]")?.focus();
