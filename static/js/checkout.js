// Paying: the chosen method shows its panel, the card's fields answer with a pm_, the form goes once.

const sources = document.querySelector("script[data-card-sandbox-src]")?.dataset || {};
const QUIET_START = 30000;
let form = null;
let adapter = null;
let isPaying = false;

const hidden = () => form.querySelector("[data-payment-method]");
const slot = () => form.querySelector("[data-card-fields]");

/* Methods: the panel under the chosen card is open, the others are out of the way and out of the tab order */
const panelOf = (radio) => {
  const next = radio.closest(".radio-card")?.nextElementSibling;
  return document.getElementById(radio.dataset.panel || "") || (next?.matches(".radio-panel") ? next : null);
};

function showPanels() {
  for (const radio of form.querySelectorAll("input[type=radio]")) {
    const panel = panelOf(radio);
    if (panel) panel.hidden = !radio.checked;
  }
  if (isCardChosen()) fields().catch(() => {});
}

function isCardChosen() {
  const panel = slot()?.closest(".radio-panel");
  return Boolean(slot()) && (!panel || !panel.hidden);
}

/* The card's fields belong to the provider; an adapter gives {mount(), createPaymentMethod(), focus(field)} */
function fields() {
  if (!adapter) {
    const source = form.dataset.provider === "stripe" ? sources.cardStripeSrc : sources.cardSandboxSrc;
    adapter = import(source).then(async ({ create }) => {
      const made = create(slot(), form.dataset);
      await made.mount();
      return made;
    });
    adapter.catch(() => {
      adapter = null;
      problem([{ message: "The card fields did not load. Check your connection and try again." }]);
    });
  }
  return adapter;
}

/* Errors: one summary above the form, focused, with links that lead into the fields */
function element(name, properties, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

function problem(errors) {
  for (const old of document.querySelectorAll("main .banner-danger")) old.remove();
  const items = errors.map(({ field, message }) => {
    if (!field || field === "form") return element("li", { textContent: message });
    const link = element("a", { href: "#card-panel", textContent: message });
    link.addEventListener("click", async (event) => {
      event.preventDefault();
      event.stopPropagation();
      (await fields()).focus(field);
    });
    return element("li", {}, link);
  });
  const isTyped = errors.some(({ field }) => field && field !== "form");
  const title = isTyped ? "Check your card details" : "Your payment was not sent";
  const inner = element(
    "div",
    { className: "banner-body" },
    element("h2", { className: "banner-title", textContent: title }),
    element("p", { textContent: "No money has left your account." }),
    element("ul", {}, ...items),
  );
  const box = element("div", { className: "banner banner-danger banner-plain", tabIndex: -1, role: "alert" }, inner);
  box.dataset.errorSummary = "";
  form.prepend(box);
  box.focus({ preventScroll: true });
  box.scrollIntoView({ block: "nearest" });
}

/* Paying: one press, one payment */
function lock(button, isBusy) {
  isPaying = isBusy;
  for (const other of form.querySelectorAll("[aria-busy]")) other.removeAttribute("aria-busy");
  if (isBusy) button?.setAttribute("aria-busy", "true");
  else delete form.dataset.sent;
  const status = form.querySelector("[data-pay-status]");
  if (status) status.textContent = isBusy ? "Setting up your payment" : "";
}

async function pay(event) {
  const button = event.submitter || form.querySelector("[data-pay]");
  if (!isCardChosen() || hidden().value) return;
  event.preventDefault();
  event.stopPropagation();
  if (isPaying) return;
  lock(button, true);
  try {
    const { paymentMethod, errors } = await (await fields()).createPaymentMethod();
    if (paymentMethod) {
      hidden().value = paymentMethod;
      form.querySelector("[data-error-summary]")?.remove();
      form.requestSubmit(button);
      return;
    }
    lock(button, false);
    problem(errors);
  } catch {
    lock(button, false);
    problem([{ message: "The card fields gave no answer. Try again." }]);
  }
}

function setUp() {
  const found = document.querySelector("form[data-checkout-form]");
  if (!found || found === form) return;
  form = found;
  adapter = null;
  form.addEventListener("submit", pay);
  form.addEventListener("change", (event) => {
    if (event.target.matches("input[type=radio]")) showPanels();
  });
  showPanels();
}

setUp();
document.addEventListener("paydeck:swapped", setUp);
window.addEventListener("pageshow", (event) => {
  if (!form || !event.persisted) return;
  if (hidden()) hidden().value = "";
  lock(null, false);
});

/* A payment on its way keeps the page fresh; before that the page is as light as it can be */
const live = document.querySelector("[data-live-url]");
let isLive = false;

function goLive() {
  if (isLive || !live || !sources.liveSrc) return;
  isLive = true;
  import(sources.liveSrc);
}

if (form) {
  setTimeout(goLive, QUIET_START);
  document.addEventListener("visibilitychange", () => document.hidden || goLive());
} else goLive();
