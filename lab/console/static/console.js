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

function tellTime({ words, screen }) {
  byId("clock").textContent = words;
  for (const line of document.querySelectorAll("[data-clock]")) line.textContent = screen;
}

const STALE_AFTER_MS = 10000;
const RETRY_MS = 3000;
let stale = 0;

function tell(state) {
  byId("live").dataset.state = state;
  byId("live-words").textContent = state;
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

byId("theme").addEventListener("change", (event) => {
  const form = event.target.form;
  form.elements.back.value = location.pathname + location.search;
  form.submit();
});

// --- keys -------------------------------------------------------------------------------------------

const letters = byId("letters");
letters.checked = localStorage.getItem("letters") !== "off";
letters.addEventListener("change", () => localStorage.setItem("letters", letters.checked ? "on" : "off"));
byId("show-keys").addEventListener("click", () => byId("keys").showModal());

let awaitingRoom = false;

function step(direction) {
  const rows = ".phone:not([hidden]) h2 a, tbody tr:not([hidden]) th a, details > summary";
  const stops = [...document.querySelectorAll(rows)];
  if (!stops.length) return;
  const here = stops.indexOf(document.activeElement);
  stops[Math.max(0, Math.min(stops.length - 1, here + direction))].focus();
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=checkbox]), select, textarea");
  if (event.key === "Escape" && typing) {
    if (typing.type === "search") {
      typing.value = "";
      filtered();
    }
    typing.blur();
    return;
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !letters.checked || byId("keys").open) return;
  if (awaitingRoom) {
    awaitingRoom = false;
    document.querySelector(`.side a[data-key="${CSS.escape(event.key)}"]`)?.click();
    return;
  }
  switch (event.key) {
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
