// Keeps a page fresh: the socket only knocks, the page fetches its own fragments again with its own session.

const POLL = [2000, 4000, 8000, 15000];
const RETRY_REFUSED = 60000;
const SETTLE = 80;
const SETTLE_AT_MOST = 800;

const body = document.body;
const socketSource = document.querySelector("script[data-socket-src]")?.dataset.socketSrc;
const badge = document.querySelector("[data-live-badge]");
const seen = new Map(); // topic -> last number heard
const work = new Map(); // element key -> {running, again, timer, since}
let pending = 0;
let isConnected = false;
let pollStep = 0;
let pollTimer = 0;
let isSignedOut = false;
let hasTried = false;

/* The badge: live, catching up, offline, in words */
function say() {
  if (!badge) return;
  let state = "live";
  let text = "Live";
  if (isSignedOut) [state, text] = ["offline", "Signed out: reload the page"];
  else if (!navigator.onLine) [state, text] = ["offline", "Offline"];
  else if (pending) [state, text] = ["catching-up", `Catching up (${pending})`];
  else if (!isConnected && !hasTried) [state, text] = ["offline", "Connecting"];
  else if (!isConnected) [state, text] = ["offline", `Not live, checking every ${POLL[pollStep] / 1000} s`];
  if (badge.dataset.state === state && badge.textContent === text) return;
  badge.dataset.state = state;
  badge.querySelector("[data-live-words]").textContent = text;
}

/* Which parts of the page hear what */
const parts = () => [...document.querySelectorAll("[data-live-url]")].filter((part) => part.dataset.liveDone === undefined);
const topicsOf = (part) => `${part.dataset.live || ""} ${part.dataset.liveTopics || ""}`.split(" ").filter(Boolean);
const keyOf = (part) => part.id || part.dataset.liveUrl;

function hears(part, knock) {
  const kinds = (part.dataset.liveKinds || "").split(" ").filter(Boolean);
  const topics = topicsOf(part);
  if (kinds.length && knock.kind && !kinds.includes(knock.kind)) return false;
  return topics.length === 0 || topics.includes(knock.topic);
}

/* Fetch a part again: many knocks at once become one request */
function refresh(part) {
  const key = keyOf(part);
  const job = work.get(key) || { running: false, again: false, timer: 0, since: 0 };
  work.set(key, job);
  if (job.running) {
    job.again = true;
    return;
  }
  const now = Date.now();
  if (!job.timer) {
    job.since = now;
    pending += 1;
  }
  clearTimeout(job.timer);
  job.timer = setTimeout(() => run(key, job), Math.max(0, Math.min(SETTLE, job.since + SETTLE_AT_MOST - now)));
}

async function run(key, job) {
  job.timer = 0;
  job.running = true;
  const part = parts().find((candidate) => keyOf(candidate) === key);
  let changed = false;
  try {
    changed = part ? await fetchInto(part) : false;
  } catch {
    backOff();
  }
  job.running = false;
  pending -= 1;
  if (changed) pollStep = 0;
  if (job.again) {
    job.again = false;
    const next = parts().find((candidate) => keyOf(candidate) === key);
    if (next) refresh(next);
  }
  say();
}

async function fetchInto(part) {
  const answer = await fetch(part.dataset.liveUrl, {
    headers: { "X-Fragment": "1", "X-Fragment-Version": part.dataset.liveVersion || "" },
    credentials: "same-origin",
    cache: "no-store",
    signal: AbortSignal.timeout(15000),
  });
  if (answer.status === 401 || answer.status === 403 || answer.redirected) isSignedOut = true;
  if (answer.status === 204 || answer.status === 304 || !answer.ok || answer.redirected) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.body.querySelector("[data-live-url]") || page.body.firstElementChild;
  if (!fresh || !part.isConnected) return false;
  if (fresh.dataset.liveGoto) return follow(part, fresh);
  if (!isNewer(part, fresh)) return false;
  return part.dataset.liveMode === "list" ? showList(part, fresh) : swap(part, fresh);
}

/* The way leads on, to the bank's page for one; whoever comes back is not sent off again */
function follow(part, fresh) {
  const to = new URL(fresh.dataset.liveGoto, location.href);
  delete fresh.dataset.liveGoto;
  swap(part, fresh);
  if (["https:", "http:"].includes(to.protocol)) location.assign(to);
  return true;
}

/* A version says whether there is anything new; without one (or with 0) the markup decides */
function isNewer(part, fresh) {
  const [had, has] = [part, fresh].map((node) => Number(node.dataset.liveVersion || 0));
  return had === 0 || has === 0 || has > had || (has === had && part.dataset.stage !== fresh.dataset.stage);
}

/* Swap a part: focus, typed values and open details stay; what changed is tinted */
const marked = (root) => [...root.querySelectorAll("[id^='row-'], [data-key]")];
const markOf = (node) => node.id || node.dataset.key;

function swap(part, fresh) {
  if (fresh.isEqualNode(cleaned(part))) return false;
  const before = new Map(marked(part).map((node) => [markOf(node), node.textContent]));
  const kept = keep(part);
  const node = document.importNode(fresh, true);
  if (part.previousElementSibling?.matches("[data-new-rows]")) part.previousElementSibling.remove();
  part.replaceWith(node);
  restore(node, kept);
  for (const item of marked(node)) if (before.get(markOf(item)) !== item.textContent) tint(item);
  document.dispatchEvent(new CustomEvent("paydeck:swapped", { detail: { part: node } }));
  return true;
}

function cleaned(part) {
  const copy = part.cloneNode(true);
  for (const item of copy.querySelectorAll(".is-new")) item.classList.remove("is-new");
  return copy;
}

function tint(node) {
  node.classList.add("is-new");
  setTimeout(() => node.classList.remove("is-new"), 2100);
}

function keep(part) {
  const active = part.contains(document.activeElement) ? document.activeElement : null;
  const controls = [...part.querySelectorAll("input:not([type=hidden]), textarea, select")];
  return {
    focus: active && pathOf(part, active),
    selection: active && "selectionStart" in active ? [active.selectionStart, active.selectionEnd] : null,
    typed: controls.filter(isTyped).map((control) => [nameOf(control), control.value, control.checked]),
    open: new Map([...part.querySelectorAll("details")].map((item, index) => [item.id || index, item.open])),
  };
}

const nameOf = (control) => control.id || `${control.name}=${control.type === "radio" ? control.value : ""}`;

function isTyped(control) {
  if (control.type === "checkbox" || control.type === "radio") return control.checked !== control.defaultChecked;
  if (control instanceof HTMLSelectElement) return [...control.options].some((option) => option.selected !== option.defaultSelected);
  return control.value !== control.defaultValue;
}

function pathOf(root, node) {
  if (node.id) return `#${CSS.escape(node.id)}`;
  if (node.name) return `${node.localName}[name="${CSS.escape(node.name)}"]`;
  if (node.getAttribute("href")) return `a[href="${CSS.escape(node.getAttribute("href"))}"]`;
  return null;
}

function restore(node, kept) {
  for (const control of node.querySelectorAll("input:not([type=hidden]), textarea, select")) {
    const was = kept.typed.find(([name]) => name === nameOf(control));
    if (!was) continue;
    if (control.type === "checkbox" || control.type === "radio") control.checked = was[2];
    else control.value = was[1];
  }
  [...node.querySelectorAll("details")].forEach((item, index) => {
    const was = kept.open.get(item.id || index);
    if (was || (item.id && was !== undefined)) item.open = was;
  });
  const target = kept.focus && node.querySelector(kept.focus);
  if (!target) return;
  target.focus({ preventScroll: true });
  if (kept.selection && kept.selection[0] !== null) target.setSelectionRange?.(...kept.selection);
}

/* Lists: what is there changes in place; what is new never moves a row under the pointer */
function showList(part, fresh) {
  const rows = new Set(marked(part).map(markOf));
  const arrived = marked(fresh).filter((row) => !rows.has(markOf(row)));
  const isWatched = part.querySelector("tbody:hover, tbody:focus-within") !== null || part.getBoundingClientRect().top < 0;
  if (!arrived.length || !isWatched || !rows.size) return swap(part, fresh);
  for (const row of marked(fresh)) {
    const old = marked(part).find((candidate) => markOf(candidate) === markOf(row));
    if (old && old.textContent !== row.textContent) {
      const node = document.importNode(row, true);
      old.replaceWith(node);
      tint(node);
    }
  }
  offer(part, fresh, arrived.length);
  return true;
}

function offer(part, fresh, count) {
  let bar = part.previousElementSibling;
  if (!bar?.matches("[data-new-rows]")) {
    bar = document.createElement("div");
    bar.className = "new-rows";
    bar.dataset.newRows = "";
    bar.setAttribute("role", "status");
    part.before(bar);
  }
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button-quiet button-small";
  button.textContent = `${count} new, show`;
  button.addEventListener("click", () => {
    const now = parts().find((candidate) => keyOf(candidate) === keyOf(part)) || part;
    bar.remove();
    swap(now, fresh);
  });
  bar.replaceChildren(button);
}

/* Asking by ourselves while the socket is away */
function refreshAll() {
  for (const part of parts()) refresh(part);
  document.dispatchEvent(new CustomEvent("paydeck:refetch"));
  say();
}

function backOff() {
  pollStep = Math.min(pollStep + 1, POLL.length - 1);
}

function poll() {
  clearTimeout(pollTimer);
  if (isConnected || isSignedOut) return;
  const wait = POLL[pollStep] * (0.9 + Math.random() * 0.2);
  pollTimer = setTimeout(() => {
    if (!document.hidden && navigator.onLine) {
      refreshAll();
      backOff();
    }
    poll();
  }, wait);
  say();
}

/* The socket */
function heard(knock) {
  // numbers that begin again (the store that counts was emptied) are a gap like any other
  const last = seen.get(knock.topic);
  seen.set(knock.topic, knock.n);
  const isGap = last !== undefined && knock.n !== last + 1;
  for (const part of parts()) if (hears(part, isGap ? { topic: knock.topic } : knock)) refresh(part);
  document.dispatchEvent(new CustomEvent("paydeck:knock", { detail: knock }));
  say();
}

// Sent when we join and every 20 seconds: another number than the last one heard means a lost knock
function joined(topics) {
  for (const [topic, n] of Object.entries(topics || {})) {
    const last = seen.get(topic);
    seen.set(topic, n);
    if (last === undefined || last === n) continue;
    for (const part of parts()) if (hears(part, { topic })) refresh(part);
  }
}

async function connect() {
  const url = body.dataset.realtimeUrl;
  if (!url || !socketSource) {
    hasTried = true;
    return;
  }
  const { io } = await import(socketSource);
  const socket = io(url, {
    transports: ["websocket"],
    withCredentials: true,
    reconnectionDelayMax: 10000,
    randomizationFactor: 0.5,
    auth: {
      csrf: document.querySelector("meta[name=csrf-token]")?.content || "",
      ...(body.dataset.checkout ? { checkout: body.dataset.checkout } : {}),
      ...(body.dataset.merchant ? { merchant: body.dataset.merchant } : {}),
    },
  });
  socket.on("connect", () => {
    isConnected = true;
    hasTried = true;
    pollStep = 0;
    clearTimeout(pollTimer);
    refreshAll();
  });
  socket.on("joined", joined);
  socket.on("knock", heard);
  const knockLater = () => {
    if (!socket.active) setTimeout(() => socket.connect(), RETRY_REFUSED * (0.8 + Math.random() * 0.4));
  };
  socket.on("disconnect", () => {
    isConnected = false;
    poll();
    knockLater();
  });
  socket.on("connect_error", () => {
    isConnected = false;
    hasTried = true;
    poll();
    knockLater();
  });
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  pollStep = 0;
  refreshAll();
  poll();
});
window.addEventListener("online", () => {
  pollStep = 0;
  refreshAll();
  poll();
});
window.addEventListener("offline", say);
window.addEventListener("pageshow", (event) => {
  if (event.persisted) refreshAll();
});
document.addEventListener("paydeck:time-is-up", refreshAll);

poll();
connect().catch(poll);
