// The explorer of the API: Swagger UI, from our own files, over our own document.
"use strict";

(() => {
  const place = document.getElementById("explorer");
  if (!place || !window.SwaggerUIBundle) return;

  const KEY_EXAMPLE = "a-key-of-your-own";
  const READS = ["get", "head", "options"];
  const CHANGES = ["post", "put", "patch", "delete"];
  const onlyReads = "onlyReads" in place.dataset;

  /** Whether a request is one of live mode: by the installation, or by the key that it carries. */
  const isLive = (request) => onlyReads || /^Bearer [sp]k_live_/.test(request.headers?.Authorization || "");

  /** Give a request that needs one a key of its own, so that a click is one deed; the example that stands
      in each form is none. */
  const withKey = (request) => {
    if (isLive(request) && !READS.includes((request.method || "GET").toLowerCase())) {
      throw new Error("In live mode the explorer only reads.");
    }
    const headers = request.headers || {};
    const name = Object.keys(headers).find((one) => one.toLowerCase() === "idempotency-key");
    const isTyped = name && headers[name] !== KEY_EXAMPLE;
    if (request.method === "POST" && !isTyped) {
      if (name) delete headers[name];
      request.headers = { ...headers, "Idempotency-Key": crypto.randomUUID() };
    }
    return request;
  };

  window.SwaggerUIBundle({
    url: place.dataset.document,
    domNode: place,
    deepLinking: true,
    docExpansion: "none",
    defaultModelsExpandDepth: -1,
    filter: true,
    persistAuthorization: false,
    requestInterceptor: withKey,
    supportedSubmitMethods: onlyReads ? READS : [...READS, ...CHANGES],
    syntaxHighlight: { activated: false },
    tryItOutEnabled: true,
    validatorUrl: null,
  });
})();
