// What the parts of every page do: copying, counting down, sending a form once, printing, error summaries.

/* Copy buttons */
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  event.preventDefault();
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    copyWithSelection(button.dataset.copy);
  }
  const label = button.getAttribute("aria-label");
  button.dataset.done = "";
  button.setAttribute("aria-label", "Copied");
  setTimeout(() => {
    delete button.dataset.done;
    button.setAttribute("aria-label", label);
  }, 1600);
});

function copyWithSelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/* Countdowns: figures every second, words for a screen reader once a minute */
const skews = new WeakMap();

function skewOf(clock) {
  if (!skews.has(clock)) skews.set(clock, Date.parse(clock.dataset.now) - Date.now() || 0);
  return skews.get(clock);
}

function figures(seconds) {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (hours) return `${hours} h ${minutes} min`;
  if (minutes) return `${minutes} min ${String(seconds % 60).padStart(2, "0")} s`;
  return `${seconds} s`;
}

function words(seconds) {
  const minutes = Math.ceil(seconds / 60);
  if (seconds <= 30) return "Less than 30 seconds left";
  return minutes === 1 ? "One minute left" : `${minutes} minutes left`;
}

function tickOne(clock) {
  const left = Math.max(0, Math.round((Date.parse(clock.dataset.countdown) - Date.now() - skewOf(clock)) / 1000));
  const spoken = clock.parentElement.querySelector("[data-countdown-words]");
  clock.textContent = left ? figures(left) : clock.dataset.overText;
  clock.toggleAttribute("data-near", left > 0 && left <= Number(clock.dataset.nearSeconds));
  clock.toggleAttribute("data-over", left === 0);
  const saying = left ? words(left) : clock.dataset.overText;
  if (spoken && spoken.dataset.minute !== saying) {
    const isFirst = spoken.dataset.minute === undefined;
    spoken.dataset.minute = saying;
    if (!isFirst) spoken.textContent = saying;
  }
  if (left === 0 && !clock.dataset.told) {
    clock.dataset.told = "1";
    document.dispatchEvent(new CustomEvent("paydeck:time-is-up", { detail: { clock } }));
    if ("reload" in clock.dataset) setTimeout(() => location.reload(), 1500);
  }
}

function tick() {
  for (const clock of document.querySelectorAll("[data-countdown]")) tickOne(clock);
}
tick();
setInterval(tick, 1000);

/* Forms are sent once: the pressed button keeps its width and says what happens */
function lock(button) {
  if (button) button.setAttribute("aria-busy", "true");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.matches("[data-once]")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  form.removeAttribute("data-dirty");
  lock(event.submitter || form.querySelector("button[type=submit], button:not([type])"));
});

window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  }
});

/* A button that cannot be used says why and does nothing */
document.addEventListener("click", (event) => {
  if (event.target.closest('button[aria-disabled="true"], button[aria-busy="true"]')) event.preventDefault();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

/* The error summary is the first thing that a stopped form says */
function showSummary() {
  const summary = document.querySelector("[data-error-summary]");
  if (!summary) return;
  summary.focus({ preventScroll: true });
  summary.scrollIntoView({ block: "center" });
  document.title = document.title.startsWith("Error: ") ? document.title : `Error: ${document.title}`;
}
showSummary();

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-error-summary] a[href^='#']");
  const control = link && document.getElementById(link.hash.slice(1));
  if (!control) return;
  const target = control.matches("input, select, textarea, button, a") ? control : control.querySelector("input, select, textarea");
  if (!target) return;
  event.preventDefault();
  target.focus();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
