// The page's only script: live fragments, filters, keys. The server renders everything; without this
// file the pages still read and navigate. (The SSE extension that htmx's package carries is made for
// htmx 1, so the stream is read here and handed to htmx.swap.)

const say = document.getElementById("say");
const live = document.getElementById("live");

function swap(target, html) {
  if (target === "say") {
    say.textContent = html;
    return;
  }
  const old = document.getElementById(target);
  if (!old) return;
  const focused = old.contains(document.activeElement) ? document.activeElement.tagName : null;
  window.htmx.swap(old, html, { swapStyle: "outerHTML" });
  if (focused) document.getElementById(target)?.querySelector(focused)?.focus({ preventScroll: true });
  applyFilters();
}

function connect() {
  const source = new EventSource("/stream");
  const tell = (state) => {
    live.dataset.state = state;
    live.textContent = state;
  };
  source.onopen = () => tell("live");
  source.onerror = () => tell("reconnecting");
  source.onmessage = (message) => {
    const { target, html } = JSON.parse(message.data);
    swap(target, html);
  };
  source.addEventListener("resync", () => location.reload());
  addEventListener("pagehide", () => source.close());
}

function applyFilters() {
  const filter = document.getElementById("filter");
  if (!filter) return;
  const site = document.getElementById("site")?.value ?? "";
  const words = filter.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const item of document.querySelectorAll(filter.dataset.filters)) {
    const text = (item.dataset.words ?? item.textContent).toLowerCase();
    const fits = words.every((word) => text.includes(word)) && (!site || item.dataset.site === site);
    item.hidden = !fits;
    shown += fits;
  }
  const none = document.getElementById("filtered");
  if (none) none.hidden = shown > 0;
}

document.getElementById("filter")?.addEventListener("input", applyFilters);
document.getElementById("site")?.addEventListener("change", applyFilters);
document.getElementById("theme").addEventListener("change", (event) => event.target.form.submit());

const letters = document.getElementById("letters");
letters.checked = localStorage.getItem("letters") !== "off";
letters.addEventListener("change", () => localStorage.setItem("letters", letters.checked ? "on" : "off"));

const rooms = { f: "/floor", c: "/calls", t: "/runs" };
let awaitingRoom = false;

function step(direction) {
  const stops = [...document.querySelectorAll(".phone:not([hidden]) article, tbody tr:not([hidden]) a, details > summary")];
  if (!stops.length) return;
  const here = stops.indexOf(document.activeElement);
  stops[Math.max(0, Math.min(stops.length - 1, here + direction))].focus();
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea");
  if (event.key === "Escape" && typing) {
    if (typing.type === "search") typing.value = "";
    applyFilters();
    typing.blur();
    return;
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !letters.checked) return;
  if (awaitingRoom) {
    awaitingRoom = false;
    if (rooms[event.key]) location.assign(rooms[event.key]);
    return;
  }
  switch (event.key) {
    case "g":
      awaitingRoom = true;
      break;
    case "/":
      document.getElementById("filter")?.focus();
      event.preventDefault();
      break;
    case "j":
      step(1);
      break;
    case "k":
      step(-1);
      break;
    case "?":
      document.getElementById("keys").showModal();
      break;
  }
});

connect();
applyFilters();
