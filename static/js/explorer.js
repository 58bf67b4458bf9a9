// The explorer of the API: Swagger UI, from our own files, over our own document.
"use strict";

(() => {
  const place = document.getElementById("explorer");
  if (!place || !window.SwaggerUIBundle) return;

  const READS = ["get", "head", "options"];
  const CHANGES = ["post", "put", "patch", "delete"];
  const onlyReads = "onlyReads" in place.dataset;

  /** Whether a request is one of live mode: by the installation, or by the key that it carries. */
  const isLive = (request) => onlyReads || /^Bearer [sp]k_live_/.test(request.headers?.Authorization || "");

  /** Give a request that needs one a key of its own, so that a click is one deed. */
  const withKey = (request) => {
    if (isLive(request) && !READS.includes((request.method || "GET").toLowerCase())) {
      throw new Error("In live mode the explorer only reads.");
    }
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
    supportedSubmitMethods: onlyReads ? READS : [...READS, ...CHANGES],
    syntaxHighlight: { activated: false },
    tryItOutEnabled: true,
    validatorUrl: null,
  });
})();
