// The card fields inside the portal's checkout: the number goes to this origin alone.
import { NAMES, brandOf, checks, cvcLength, digitsOf, groupExpiry, groupNumber, groupWhileTyping, readExpiry } from "./card-format.js";

const { parent: parentOrigin, key, brands: brandList } = document.body.dataset;
const brands = brandList.split(",");
const ORDER = ["name", "number", "expiry", "cvc"];
const inputs = Object.fromEntries(ORDER.map((name) => [name, document.getElementById(name)]));
const brandMark = document.getElementById("brand");
const FIELD_OF = { number: "number", exp_month: "expiry", exp_year: "expiry", cvc: "cvc" };
const SENTENCES = {
  incorrect_number: "Check the card number: a digit looks wrong.",
  invalid_number: "The card number is incomplete.",
  card_declined: "Only test cards work here. Open “Test cards” below for one.",
  invalid_expiry_year: "This card has expired.",
  invalid_expiry_month: "This card has expired.",
  invalid_cvc: "Check the security code.",
};
const NOT_SENT = "The card could not be sent to the provider. No money moved; try again.";

const tell = (message) => {
  if (window.parent !== window) window.parent.postMessage(message, parentOrigin);
};
const brand = () => brandOf(digitsOf(inputs.number.value));
const check = (name) => checks[name](inputs[name].value, brands, inputs.number.value);

function show(name, message) {
  const slot = document.getElementById(`${name}-error`);
  if (slot.textContent !== message) slot.textContent = message;
  const input = inputs[name];
  if (!input) return;
  if (message) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

function changed() {
  const current = brand();
  brandMark.textContent = current === "unknown" ? "" : NAMES[current];
  inputs.cvc.placeholder = "0".repeat(cvcLength(current));
  const complete = ORDER.every((name) => check(name) === "");
  tell({ type: "paydeck:change", complete, brand: current });
}

function failures() {
  const errors = ORDER.map((name) => ({ field: name, message: check(name) }));
  ORDER.forEach((name) => show(name, check(name)));
  show("form", "");
  return errors.filter((error) => error.message);
}

async function createPaymentMethod() {
  const expiry = readExpiry(inputs.expiry.value);
  const body = new URLSearchParams({
    type: "card",
    "card[number]": digitsOf(inputs.number.value),
    "card[exp_month]": expiry.month,
    "card[exp_year]": expiry.year,
    "card[cvc]": inputs.cvc.value.trim(),
    "billing_details[name]": inputs.name.value.trim(),
  });
  const response = await fetch("/v1/payment_methods", {
    method: "POST",
    body,
    credentials: "omit",
    headers: { Authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(20000),
  });
  return response.json();
}

function refusal(error) {
  const field = FIELD_OF[error.param] || "form";
  const message = SENTENCES[error.code] || error.message || NOT_SENT;
  show(field, message);
  return [{ field, message }];
}

async function create(id) {
  const errors = failures();
  if (errors.length) {
    inputs[errors[0].field].focus();
    tell({ type: "paydeck:field-errors", id, errors });
    return;
  }
  try {
    const made = await createPaymentMethod();
    if (made.error) {
      tell({ type: "paydeck:field-errors", id, errors: refusal(made.error) });
      return;
    }
    const { brand: kind, last4 } = made.card;
    tell({ type: "paydeck:payment-method", id, payment_method: made.id, card: { brand: kind, last4 } });
  } catch {
    tell({ type: "paydeck:field-errors", id, errors: refusal({}) });
  }
}

window.addEventListener("message", (event) => {
  if (event.origin !== parentOrigin || event.source !== window.parent) return;
  const { type, id, field } = event.data || {};
  if (type === "paydeck:create-payment-method") create(id);
  if (type === "paydeck:focus") (inputs[field] || inputs.name).focus();
});

groupWhileTyping(inputs.number, groupNumber);
groupWhileTyping(inputs.expiry, groupExpiry);
for (const name of ORDER) {
  inputs[name].addEventListener("input", () => {
    if (inputs[name].hasAttribute("aria-invalid") && !check(name)) show(name, "");
    changed();
  });
  // Whoever leaves the frame may be pressing Pay: a message now would move that button away under the pointer.
  inputs[name].addEventListener("blur", () => {
    if (document.hasFocus() && inputs[name].value.trim()) show(name, check(name));
  });
}
document.getElementById("card").addEventListener("submit", (event) => event.preventDefault());
for (const button of document.querySelectorAll("button[data-number]")) {
  button.addEventListener("click", () => {
    inputs.name.value = inputs.name.value || "Test Shopper";
    inputs.number.value = groupNumber(button.dataset.number);
    inputs.expiry.value = `12 / ${String(new Date().getFullYear() + 3).slice(2)}`;
    inputs.cvc.value = "1234".slice(0, cvcLength(brand()));
    ORDER.forEach((name) => show(name, ""));
    changed();
  });
}
new ResizeObserver(() => {
  tell({ type: "paydeck:height", height: Math.ceil(document.querySelector("main").getBoundingClientRect().height) });
}).observe(document.querySelector("main"));
tell({ type: "paydeck:ready" });
changed();
