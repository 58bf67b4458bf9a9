// Stripe's Payment Element behind the same three verbs as the sandbox's fields.

const STRIPE = "https://js.stripe.com/v3/";

function load() {
  if (window.Stripe) return Promise.resolve(window.Stripe);
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = STRIPE;
    script.addEventListener("load", () => resolve(window.Stripe));
    script.addEventListener("error", () => reject(new Error("Stripe's script did not load")));
    document.head.append(script);
  });
}

export function create(slot, given) {
  const place = slot.querySelector("[data-stripe-element]");
  let stripe = null;
  let elements = null;
  let element = null;

  function appearance() {
    const style = getComputedStyle(document.documentElement);
    const scheme = document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    return {
      theme: scheme === "dark" ? "night" : "stripe",
      variables: { borderRadius: style.getPropertyValue("--radius").trim(), colorPrimary: scheme === "dark" ? "#4cc2a3" : "#0a6b5a", fontSizeBase: "16px" },
    };
  }

  return {
    async mount() {
      const Stripe = await load();
      stripe = Stripe(given.publishableKey);
      elements = stripe.elements({
        mode: "payment",
        amount: Number(given.amount),
        currency: given.currency.toLowerCase(),
        paymentMethodCreation: "manual",
        paymentMethodTypes: ["card"],
        appearance: appearance(),
      });
      element = elements.create("payment");
      element.mount(place);
    },
    async createPaymentMethod() {
      const checked = await elements.submit();
      if (checked.error) return { errors: [{ field: "number", message: checked.error.message }] };
      const { paymentMethod, error } = await stripe.createPaymentMethod({ elements });
      if (error) return { errors: [{ field: "number", message: error.message }] };
      return { paymentMethod: paymentMethod.id, card: paymentMethod.card };
    },
    focus() {
      element.focus();
    },
  };
}
