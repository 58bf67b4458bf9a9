// The explorer of the API: Swagger UI, from our own files, over our own document.
"use strict";

(() => {
  const place = document.getElementById("explorer");
  if (!place || !window.SwaggerUIBundle) return;

  /** Give a request that needs one a key of its own, so that a click is one deed. */
  const withKey = (request) => {
    const hasKey = Object.keys(request.headers || {}).some((name) => name.toLowerCase() === "idempotency-key");
    if (request.method === "POST" && !hasKey) request.headers["Idempotency-Key"] = crypto.randomUUID();
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
    syntaxHighlight: { activated: false },
    tryItOutEnabled: true,
    validatorUrl: null,
  });
})();
