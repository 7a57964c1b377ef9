// Spans that go on while a page is open. The server writes the time of day, which stays true; here it becomes a span.

const UNITS = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]];

function roughly(seconds) {
  const [sign, size] = UNITS.find(([, size]) => seconds >= size) ?? ["s", 1];
  return `${Math.floor(seconds / size)}\u00a0${sign}`;
}

function as_clock(seconds) {
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, "0"));
  return [...(seconds >= 3_600 ? [Math.floor(seconds / 3_600)] : []), ...parts].join(":");
}

function put(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

function tick() {
  const passed = (moment) => Math.max(0, Math.floor((Date.now() - Date.parse(moment)) / 1000));
  const left = (moment) => Math.max(0, Math.ceil((Date.parse(moment) - Date.now()) / 1000));
  document.querySelectorAll("[data-since]").forEach((one) => put(one, roughly(passed(one.dataset.since))));
  document.querySelectorAll("[data-clock]").forEach((one) => put(one, as_clock(passed(one.dataset.clock))));
  document.querySelectorAll("[data-left]").forEach((one) => put(one, one.dataset.words.replace("{span}", roughly(left(one.dataset.left)))));
}

tick();
setInterval(tick, 1000);
document.addEventListener("ringback:changed", tick);
