// Says of each delivery on standard input whether the npm verifier believes it.
"use strict";
const { Webhook } = require("standardwebhooks");

const asked = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const believes = ({ secret, raw, headers, body }) => {
  try {
    new Webhook(secret, raw ? { format: "raw" } : undefined).verify(body, headers);
    return true;
  } catch {
    return false;
  }
};
process.stdout.write(JSON.stringify(asked.map(believes)));
