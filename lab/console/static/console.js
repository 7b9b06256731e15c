// The page's only script: live regions, filters, keys. The server renders everything; without this
// file the pages still read and navigate. (The SSE extension that htmx's package carries is made for
// htmx 1, so the stream is read here and handed to htmx.swap.)

const byId = (id) => document.getElementById(id);

// --- live regions ---------------------------------------------------------------------------------

function swap(region, html) {
  const old = byId(region);
  if (!old) return;
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  const open = [...old.querySelectorAll("details[open]")].map((item) => item.id);
  window.htmx.swap(old, html, { swapStyle: "outerHTML" });
  for (const id of open) byId(id)?.setAttribute("open", "");
  if (focused) byId(focused)?.focus({ preventScroll: true });
  applyFilters();
}

// What is announced: counts and outcomes, at most one every three seconds, the newest wins.
const SAY_EVERY_MS = 3000;
let words = "";
let saidAt = -SAY_EVERY_MS;
let speaking = 0;

function say(what) {
  words = what;
  if (speaking) return;
  speaking = setTimeout(() => {
    speaking = 0;
    saidAt = performance.now();
    byId("say").textContent = words;
  }, Math.max(0, saidAt + SAY_EVERY_MS - performance.now()));
}

function tellTime({ words, screen, shifted }) {
  byId("clock").textContent = words;
  byId("clock").parentElement.classList.toggle("sim", Boolean(shifted));
  for (const line of document.querySelectorAll("[data-clock]")) line.textContent = screen;
}

const STALE_AFTER_MS = 10000;
const RETRY_MS = 3000;
let stale = 0;

function tell(state) {
  byId("live").dataset.state = state;
  byId("live-words").textContent = document.body.dataset[state];
  clearTimeout(stale);
  document.body.classList.remove("stale");
  if (state !== "live") stale = setTimeout(() => document.body.classList.add("stale"), STALE_AFTER_MS);
}

let position = document.body.dataset.position;

function connect() {
  const query = new URLSearchParams({ regions: document.body.dataset.regions, after: position });
  const source = new EventSource(`/stream?${query}`);
  source.onopen = () => tell("live");
  source.onerror = () => {
    tell("reconnecting");
    // The browser tries again by itself unless the server answered with an error.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, RETRY_MS);
  };
  source.onmessage = (message) => {
    position = message.lastEventId;
    const { region, html } = JSON.parse(message.data);
    swap(region, html);
  };
  source.addEventListener("say", (message) => say(JSON.parse(message.data)));
  source.addEventListener("clock", (message) => tellTime(JSON.parse(message.data)));
  source.addEventListener("resync", () => location.reload());
  addEventListener("pagehide", () => source.close());
}

addEventListener("pageshow", (event) => event.persisted && location.reload());

// A call's length goes on between two words from the server.
setInterval(() => {
  for (const item of document.querySelectorAll("[data-talking]")) {
    item.from ??= performance.now() - 1000 * item.dataset.talking;
    const seconds = Math.floor((performance.now() - item.from) / 1000);
    item.textContent = [seconds / 60, seconds % 60].map((part) => String(Math.floor(part)).padStart(2, "0")).join(":");
  }
}, 500);

// --- filters: they live in the address, so that every view is a link --------------------------------

function applyFilters() {
  const filter = byId("filter");
  if (!filter) return;
  const site = byId("site")?.value ?? "";
  const wanted = filter.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const items = [...document.querySelectorAll(filter.dataset.filters)];
  for (const item of items) {
    const text = item.dataset.words.toLowerCase();
    item.hidden = !wanted.every((word) => text.includes(word)) || (site !== "" && item.dataset.site !== site);
  }
  const none = byId("filtered");
  if (none) none.hidden = !items.length || items.some((item) => !item.hidden);
}

function filtered() {
  applyFilters();
  const query = new URLSearchParams();
  if (byId("filter").value) query.set("q", byId("filter").value);
  if (byId("site")?.value) query.set("site", byId("site").value);
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
}

byId("filter")?.addEventListener("input", filtered);
byId("site")?.addEventListener("change", filtered);

for (const look of ["theme", "language"])
  byId(look).addEventListener("change", (event) => {
    const form = event.target.form;
    form.elements.back.value = location.pathname + location.search;
    form.submit();
  });

// --- search: what there is of a name, wherever it stands ------------------------------------------------

const palette = byId("palette");
let asked = 0;

async function find() {
  const mine = ++asked;
  const query = new URLSearchParams({ q: byId("palette-q").value, part: "1" });
  const answer = await fetch(`/search?${query}`);
  if (mine === asked && answer.ok) window.htmx.swap(byId("palette-found"), await answer.text(), { swapStyle: "innerHTML" });
}

function openPalette() {
  palette.showModal();
  byId("palette-q").focus();
  find();
}

byId("search")?.addEventListener("click", (event) => {
  event.preventDefault();
  openPalette();
});
byId("palette-q")?.addEventListener("input", find);
palette?.addEventListener("keydown", (event) => {
  const stops = [byId("palette-q"), ...palette.querySelectorAll("a.hit")];
  const here = stops.indexOf(document.activeElement);
  const ahead = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (ahead) {
    stops[Math.max(0, Math.min(stops.length - 1, here + ahead))].focus();
    event.preventDefault();
  } else if (event.key === "Enter" && here === 0 && stops[1] && byId("palette-q").value) {
    stops[1].click();
    event.preventDefault();
  }
});

// --- a phone in the hand ----------------------------------------------------------------------------------

const drawer = byId("drawer");
let handStream = null;
let pickedFrom = "";

async function pickUp(link) {
  const device = link.closest("[data-device]").dataset.device;
  const answer = await fetch(`${link.href}?part=1`);
  if (!answer.ok) return void (location.href = link.href);
  letGo();
  pickedFrom = link.id;
  byId("drawer-title").textContent = link.textContent;
  byId("drawer-body").innerHTML = await answer.text();
  drawer.hidden = false;
  (byId("drawer-body").querySelector(".hand-number") ?? byId("drawer-title")).focus();
  const query = new URLSearchParams({ regions: `handset-${device}`, after: position });
  handStream = new EventSource(`/stream?${query}`);
  handStream.onmessage = (message) => {
    const { region, html } = JSON.parse(message.data);
    swapHand(region, html);
  };
}

function letGo() {
  handStream?.close();
  handStream = null;
  if (drawer) drawer.hidden = true;
}

// What somebody is typing, and where focus stands, outlives a new picture of the phone.
function swapHand(region, html) {
  const typed = byId(region)?.querySelector(".hand-number")?.value ?? "";
  swap(region, html);
  const field = byId(region)?.querySelector(".hand-number");
  if (field) field.value = typed;
  const lost = document.activeElement === document.body;
  if (lost && drawer && !drawer.hidden) byId("drawer-title").focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.(".phone h2 a");
  if (!link || !drawer || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  pickUp(link);
});
byId("drawer-close")?.addEventListener("click", putDown);

function putDown() {
  letGo();
  byId(pickedFrom)?.focus();
}

async function press(hand, action, argument) {
  const wrong = hand.querySelector(".hand-wrong");
  wrong.textContent = "";
  const answer = await fetch(`/api/v1/phones/${encodeURIComponent(hand.dataset.device)}/press`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ do: action, argument }),
  });
  if (answer.ok) return;
  const { error } = await answer.json();
  byId(hand.id).querySelector(".hand-wrong").textContent = `${error.happened}: ${error.why}`;
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches(".hand-form")) return;
  event.preventDefault();
  const form = new FormData(event.target, event.submitter);
  const number = form.get("number") ?? "";
  const action = form.get("do") ?? "dial";
  press(event.target.closest(".hand"), action, form.get("argument") ?? number);
});

// Digits are dialled, or are keys of the call; `e` ends it, never `Esc`.
function handKey(key) {
  const hand = document.querySelector(".hand");
  if (!hand || hand.closest("[hidden]")) return false;
  const field = hand.querySelector(".hand-number");
  const button = (name) => hand.querySelector(`.hand-form button[value="${name}"]`);
  if (/^[0-9*#]$/.test(key)) {
    if (hand.dataset.state === "in-call") press(hand, "press", key);
    else if (field) {
      field.value += key;
      field.focus();
    }
    return true;
  }
  const wanted = { h: button("hold") ?? button("resume"), t: button("transfer"), e: button("hangup") ?? button("reject") }[key];
  wanted?.click();
  return Boolean(wanted);
}

// --- keys -------------------------------------------------------------------------------------------

const letters = byId("letters");
letters.checked = localStorage.getItem("letters") !== "off";
letters.addEventListener("change", () => localStorage.setItem("letters", letters.checked ? "on" : "off"));
byId("show-keys").addEventListener("click", () => byId("keys").showModal());

let awaitingRoom = false;

function step(direction) {
  const rows = ".phone:not([hidden]) h2 a, tbody tr:not([hidden]) th a, .outline a, details > summary";
  const stops = [...document.querySelectorAll(rows)];
  if (!stops.length) return;
  const here = stops.indexOf(document.activeElement);
  stops[Math.max(0, Math.min(stops.length - 1, here + direction))].focus();
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && palette) {
    event.preventDefault();
    if (!palette.open) openPalette();
    return;
  }
  if (palette?.open) return;
  if (event.key === "Enter" && event.target.matches?.(".hand-number")) {
    const hand = event.target.closest(".hand");
    event.preventDefault();
    return void press(hand, "dial", event.target.value);
  }
  const typing = event.target.closest("input:not([type=checkbox]), select, textarea");
  if (event.key === "Escape" && typing) {
    if (typing.type === "search") {
      typing.value = "";
      filtered();
    }
    typing.blur();
    if (typing.matches(".hand-number")) byId("drawer-title")?.focus();
    return;
  }
  if (event.key === "Escape" && drawer && !drawer.hidden && !byId("keys").open) return putDown();
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !letters.checked || byId("keys").open) return;
  if (awaitingRoom) {
    awaitingRoom = false;
    document.querySelector(`.side a[data-key="${CSS.escape(event.key)}"]`)?.click();
    return;
  }
  if (handKey(event.key)) return event.preventDefault();
  switch (event.key) {
    case "y":
    case "n":
    case "s":
      document.querySelector(`.request [id^="${{ y: "yes", n: "no", s: "skip" }[event.key]}-"]`)?.click();
      break;
    case "[":
    case "]": {
      const tabs = [...document.querySelectorAll(".tabs a")];
      const here = tabs.findIndex((tab) => tab.hasAttribute("aria-current"));
      tabs[here + (event.key === "]" ? 1 : -1)]?.click();
      break;
    }
    case "g":
      awaitingRoom = true;
      break;
    case "/":
      byId("filter")?.focus();
      event.preventDefault();
      break;
    case "j":
      step(1);
      break;
    case "k":
      step(-1);
      break;
    case "?":
      byId("keys").showModal();
      break;
  }
});

if (document.body.dataset.regions !== undefined) connect();
applyFilters();
