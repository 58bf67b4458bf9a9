// The sandbox's card fields: an iframe of the provider's origin, so that a card number never reaches this page.

const PATIENCE = 25000;
let asked = 0;

export function create(slot) {
  const frame = slot.querySelector("iframe[data-src]");
  const address = new URL(frame.dataset.src);
  const waiting = new Map();
  let ready = null;

  const post = (message) => frame.contentWindow.postMessage(message, address.origin);

  function answer(message) {
    const give = waiting.get(message.id);
    if (!give) return;
    if (message.type === "paydeck:payment-method" && /^pm_\w+$/.test(message.payment_method)) {
      give({ paymentMethod: message.payment_method, card: message.card });
    } else if (message.type === "paydeck:field-errors" && Array.isArray(message.errors)) {
      give({ errors: message.errors.map(({ field, message: text }) => ({ field: String(field), message: String(text) })) });
    } else return;
    waiting.delete(message.id);
  }

  function hear(event, isReady) {
    if (event.origin !== address.origin || event.source !== frame.contentWindow) return;
    const message = event.data || {};
    if (message.type === "paydeck:ready") isReady();
    if (message.type === "paydeck:height" && Number.isFinite(message.height)) {
      frame.style.height = `${Math.min(1200, Math.max(120, Math.ceil(message.height)))}px`;
    }
    answer(message);
  }

  return {
    mount() {
      if (ready) return ready;
      const appearance = document.documentElement.dataset.theme;
      if (appearance) address.searchParams.set("appearance", appearance);
      ready = new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error("the card fields did not load")), PATIENCE);
        window.addEventListener("message", (event) => hear(event, () => {
          clearTimeout(timer);
          resolve();
        }));
      });
      frame.src = address;
      return ready;
    },
    createPaymentMethod() {
      asked += 1;
      const id = `ask-${asked}`;
      return new Promise((resolve, reject) => {
        waiting.set(id, resolve);
        setTimeout(() => waiting.delete(id) && reject(new Error("the card fields gave no answer")), PATIENCE);
        post({ type: "paydeck:create-payment-method", id });
      });
    },
    focus(field) {
      frame.focus();
      post({ type: "paydeck:focus", field });
    },
  };
}
