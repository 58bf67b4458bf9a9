// What the portal adds: dialogs, toasts, menus, keys, money fields, the choice of appearance.

/* Dialogs: the browser traps the focus and closes on Escape; we give the focus back */
const openers = new WeakMap();

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.dialog);
    if (!(dialog instanceof HTMLDialogElement)) return;
    event.preventDefault();
    if (opener.getAttribute("aria-disabled") === "true") return;
    openers.set(dialog, opener);
    dialog.showModal();
    dialog.querySelector("[autofocus], form:not([method=dialog]) input:not([type=hidden])")?.focus();
    return;
  }
  if (event.target.closest("[data-dialog-close]")) event.target.closest("dialog")?.close();
  if (event.target instanceof HTMLDialogElement && event.target.open && !inside(event.target, event)) event.target.close();
});

function inside(dialog, event) {
  const box = dialog.getBoundingClientRect();
  return event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
}

document.addEventListener("close", (event) => openers.get(event.target)?.focus(), true);

/* Toasts: polite, gone after a while, kept while the pointer or the focus is on them */
const STAY = 6000;
const region = document.querySelector("[data-toasts]");

function start(toast) {
  let timer = setTimeout(() => toast.remove(), STAY);
  const pause = () => clearTimeout(timer);
  const resume = () => {
    clearTimeout(timer);
    timer = setTimeout(() => toast.remove(), STAY);
  };
  toast.addEventListener("pointerenter", pause);
  toast.addEventListener("focusin", pause);
  toast.addEventListener("pointerleave", resume);
  toast.addEventListener("focusout", resume);
}

function toast({ message, href, label }) {
  if (!region || !message) return;
  const card = document.createElement("div");
  card.className = "toast";
  const text = document.createElement("p");
  text.textContent = message;
  if (href) {
    const link = document.createElement("a");
    link.href = href;
    link.textContent = label || "Show";
    text.append(" ", link);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.className = "toast-close";
  close.dataset.toastClose = "";
  close.setAttribute("aria-label", "Dismiss");
  close.textContent = "×";
  card.append(document.createElement("span"), text, close);
  region.append(card);
  while (region.children.length > 3) region.firstElementChild.remove();
  start(card);
}

document.addEventListener("paydeck:toast", (event) => toast(event.detail || {}));
document.addEventListener("click", (event) => event.target.closest("[data-toast-close]")?.closest(".toast").remove());
for (const card of region?.children || []) start(card);

/* Menus are <details>: one open at a time, closed by Escape and by a click elsewhere */
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

/* Keys: / searches, ? shows the keys, j and k walk the rows */
const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;

function walk(step) {
  const links = [...document.querySelectorAll(".row-link")].filter((link) => link.offsetParent);
  if (!links.length) return;
  const at = links.indexOf(document.activeElement);
  links[Math.min(links.length - 1, Math.max(0, at + step))].focus();
}

/* Escape empties the search, and then leaves it, so that the keys work again */
document.addEventListener("keydown", (event) => {
  const search = event.target;
  if (event.key !== "Escape" || !(search instanceof HTMLInputElement) || search.dataset.search === undefined) return;
  event.preventDefault();
  if (search.value) search.value = "";
  else search.blur();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  }
  if (event.key === "?") document.getElementById("shortcut-help")?.showModal();
  if (event.key === "j") walk(1);
  if (event.key === "k") walk(-1);
});

/* Money fields: formatted when left; what cannot be read is left as typed for the server to answer */
const GROUPS = { INR: "en-IN" };

function formatMoney(typed, exponent, currency) {
  const plain = typed.replace(/[\s,\u00a0\u202f]/g, "").replace(/^[^\d.-]+/, "");
  if (!/^\d+(\.\d*)?$/.test(plain)) return typed;
  const [whole, minor = ""] = plain.split(".");
  if (minor.length > exponent) return typed;
  const grouped = BigInt(whole).toLocaleString(GROUPS[currency] || "en-GB");
  return exponent ? `${grouped}.${minor.padEnd(exponent, "0")}` : grouped;
}

document.addEventListener("focusout", (event) => {
  const input = event.target;
  if (!(input instanceof HTMLInputElement) || input.dataset.money === undefined || !input.value.trim()) return;
  input.value = formatMoney(input.value.trim(), Number(input.dataset.money), input.dataset.currency);
});

/* What was typed and not sent is named before the page is left */
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-warn-unsaved]");
  if (form) form.dataset.dirty = "";
});
window.addEventListener("beforeunload", (event) => {
  if (document.querySelector("form[data-dirty]:not([data-sent])")) event.preventDefault();
});

/* Appearance: as the system, light, dark; kept in this browser */
const THEMES = { system: "Appearance: as the system", light: "Appearance: light", dark: "Appearance: dark" };
const chosen = () => document.documentElement.dataset.theme || "system";

function describeTheme() {
  for (const place of document.querySelectorAll("[data-theme-words]")) place.textContent = THEMES[chosen()];
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-next]")) return;
  const names = Object.keys(THEMES);
  const next = names[(names.indexOf(chosen()) + 1) % names.length];
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    if (next === "system") localStorage.removeItem("paydeck-theme");
    else localStorage.setItem("paydeck-theme", next);
  } catch {
    // Storage may be refused; the choice then lasts as long as the page.
  }
  describeTheme();
  document.dispatchEvent(new CustomEvent("paydeck:theme"));
});
describeTheme();
