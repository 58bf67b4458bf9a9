// Makes the hosted payment page friendlier; it is complete without this file.
import { NAMES, brandOf, cvcLength, digitsOf, groupExpiry, groupNumber, groupWhileTyping } from "./card-format.js";

const field = (name) => document.getElementById(name);
const number = field("number");
const showBrand = () => {
  const brand = brandOf(digitsOf(number.value));
  field("brand").textContent = brand === "unknown" ? "" : NAMES[brand];
};

groupWhileTyping(number, groupNumber);
groupWhileTyping(field("expiry"), groupExpiry);
number.addEventListener("input", showBrand);
showBrand();
field("alert")?.focus();

for (const button of document.querySelectorAll("button[data-number]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    field("name").value = field("name").value || "Test Shopper";
    number.value = groupNumber(button.dataset.number);
    field("expiry").value = `12 / ${String(new Date().getFullYear() + 3).slice(2)}`;
    field("cvc").value = "1234".slice(0, cvcLength(brandOf(digitsOf(number.value))));
    showBrand();
  });
}

const form = document.querySelector("form");
const pay = field("pay");
form.addEventListener("submit", (event) => {
  if (pay.getAttribute("aria-busy") === "true") event.preventDefault();
  pay.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => pay.removeAttribute("aria-busy"));
