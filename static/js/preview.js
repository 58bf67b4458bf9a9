// A form that shows what it will do while one types: the server works it out and sends the words.

const WAIT = 300;
const timers = new WeakMap();
const asked = new WeakMap();

async function look(form) {
  const number = (asked.get(form) || 0) + 1;
  asked.set(form, number);
  let answer;
  try {
    answer = await fetch(form.dataset.preview, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { "X-Fragment": "1" },
      credentials: "same-origin",
      signal: AbortSignal.timeout(15000),
    });
  } catch {
    return; // the server looks at it again when the form is sent
  }
  if (!answer.ok || answer.redirected || asked.get(form) !== number) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(form.dataset.previewInto);
  const part = document.getElementById(form.dataset.previewInto);
  if (fresh && part) part.replaceWith(document.importNode(fresh, true));
  name(form);
}

/* The button says what it will do, as far as the server has worked it out */
function name(form) {
  const label = document.getElementById(form.dataset.previewInto)?.dataset.label;
  const face = form.querySelector("[data-preview-label] .button-face > span");
  if (label && face) face.textContent = label;
}

function soon(event) {
  const form = event.target.closest("form[data-preview]");
  if (!form) return;
  clearTimeout(timers.get(form));
  timers.set(form, setTimeout(() => look(form), WAIT));
}

document.addEventListener("input", soon);
document.addEventListener("change", soon);
for (const form of document.querySelectorAll("form[data-preview]")) name(form);
