// Beside a time, how long ago that is: <time datetime="..." data-age="">. Without script the time stands alone.

const STEPS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 0],
];
const language = document.documentElement.lang;

function words(seconds) {
  const [unit, size] = STEPS.find(([, least]) => seconds >= least);
  const count = Math.floor(seconds / (size || 1));
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" }).format(count);
}

function tick() {
  for (const time of document.querySelectorAll("time[data-age]")) {
    const seconds = Math.max(0, (Date.now() - Date.parse(time.dateTime)) / 1000);
    const age = words(seconds);
    if (time.dataset.age !== age) time.dataset.age = age;
  }
}

tick();
setInterval(tick, 1_000);
document.addEventListener("ringback:changed", tick);
