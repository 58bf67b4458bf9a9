// How card fields are grouped, read and checked while somebody types. No network, no storage.

const PREFIXES = [
  ["6011", "discover"], ["34", "amex"], ["37", "amex"], ["35", "jcb"], ["36", "diners"],
  ["30", "diners"], ["62", "unionpay"], ["65", "discover"], ["5", "mastercard"],
  ["2", "mastercard"], ["4", "visa"],
];
export const NAMES = {
  visa: "Visa", mastercard: "Mastercard", amex: "American Express", discover: "Discover",
  diners: "Diners Club", jcb: "JCB", unionpay: "UnionPay", unknown: "unknown",
};

export const digitsOf = (text) => text.replace(/\D/g, "");

export function brandOf(number) {
  const found = PREFIXES.find(([prefix]) => number.startsWith(prefix));
  return found ? found[1] : "unknown";
}

export const cvcLength = (brand) => (brand === "amex" ? 4 : 3);

function numberLengths(brand, number) {
  if (brand === "amex") return [15, 15];
  if (brand === "diners") return number.startsWith("36") ? [14, 14] : [16, 16];
  if (brand === "unionpay") return [16, 19];
  return [16, 16];
}

export function passesLuhn(number) {
  let total = 0;
  [...number].reverse().forEach((digit, place) => {
    const value = Number(digit) * (1 + (place % 2));
    total += value > 9 ? value - 9 : value;
  });
  return total % 10 === 0;
}

export function groupNumber(text) {
  const all = digitsOf(text);
  const brand = brandOf(all);
  const digits = all.slice(0, numberLengths(brand, all)[1]);
  const sizes = brand === "amex" || digits.startsWith("36") ? [4, 6, 5] : [4, 4, 4, 4, 3];
  const groups = [];
  let start = 0;
  for (const size of sizes) {
    if (start >= digits.length) break;
    groups.push(digits.slice(start, start + size));
    start += size;
  }
  return groups.join(" ");
}

export function groupExpiry(text, deleting = false) {
  const dated = text.match(/^\s*(20\d\d)-(\d\d)\s*$/);
  if (dated) return `${dated[2]} / ${dated[1].slice(2)}`;
  const parted = text.match(/^\D*(\d{1,2})\s*[/.-]\s*(\d*)/);
  let digits = digitsOf(text);
  if (!parted && Number(digits[0]) > 1) digits = `0${digits}`;
  const month = parted ? parted[1].padStart(2, "0") : digits.slice(0, 2);
  const typed = parted ? parted[2] : digits.slice(2);
  const year = typed.slice(0, typed.startsWith("20") ? 4 : 2);
  if (month.length < 2 || (deleting && !year)) return month;
  return `${month} / ${year}`;
}

// Groups while typing and keeps the caret behind the same digit; deleting a gap deletes the digit.
export function groupWhileTyping(input, group) {
  let shown = input.value;
  input.addEventListener("input", (event) => {
    const deleting = (event.inputType || "").startsWith("delete");
    const caret = input.selectionStart ?? input.value.length;
    const atEnd = caret === input.value.length;
    let text = input.value;
    let before = digitsOf(text.slice(0, caret)).length;
    if (event.inputType === "deleteContentBackward" && before && digitsOf(text) === digitsOf(shown)) {
      const last = text.slice(0, caret).search(/\d\D*$/);
      text = text.slice(0, last) + text.slice(last + 1);
      before -= 1;
    }
    shown = group(text, deleting);
    if (shown === input.value) return;
    input.value = shown;
    const place = atEnd && !deleting ? shown.length : placeOfDigit(shown, before);
    input.setSelectionRange(place, place);
  });
}

function placeOfDigit(text, count) {
  let place = 0;
  for (let seen = 0; place < text.length && seen < count; place += 1) {
    if (/\d/.test(text[place])) seen += 1;
  }
  return place;
}

export function readExpiry(text) {
  const parts = text.match(/^\s*(\d{1,2})\s*\/\s*(\d{2}|\d{4})\s*$/);
  if (!parts) return null;
  const year = Number(parts[2]);
  return { month: Number(parts[1]), year: year < 100 ? 2000 + year : year };
}

// One sentence for each thing that can be the matter; "" when the field is good.
export const checks = {
  name: (text) => (text.trim() ? "" : "Enter the name on the card."),
  number(text, brands) {
    const number = digitsOf(text);
    if (!text.trim()) return "Enter your card number.";
    const brand = brandOf(number);
    const [shortest] = numberLengths(brand, number);
    if (number.length < shortest) return "The card number is incomplete.";
    if (!passesLuhn(number)) return "Check the card number: a digit looks wrong.";
    if (brands.includes(brand)) return "";
    return brand === "unknown"
      ? "This shop does not take cards of this brand."
      : `This shop does not take ${NAMES[brand]} cards.`;
  },
  expiry(text, brands, number, now = new Date()) {
    if (!text.trim()) return "Enter the expiry date.";
    const expiry = readExpiry(text);
    if (!expiry) return "The expiry date is incomplete. Write it as month and year, such as 08 / 29.";
    if (expiry.month < 1 || expiry.month > 12) return "The month must be between 01 and 12.";
    const last = new Date(expiry.year, expiry.month, 1);
    if (last <= now) return "This card has expired.";
    return expiry.year > now.getFullYear() + 50 ? "Check the year: it is too far ahead." : "";
  },
  cvc(text, brands, number) {
    if (!text.trim()) return "Enter the security code.";
    const wanted = cvcLength(brandOf(digitsOf(number)));
    return new RegExp(`^\\d{${wanted}}$`).test(text.trim())
      ? ""
      : `The security code has ${wanted} digits on this card.`;
  },
};
