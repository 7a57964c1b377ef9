// Small help for every page. Nothing here is needed to read or to send: forms and links work without it.

const root = document.documentElement;

// Theme: the server writes data-theme from the cookie, so there is no flash; here it changes without a reload.
const after = { auto: "light", light: "dark", dark: "auto" };

function put_theme(theme) {
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  document.cookie = `ringback-theme=${theme}; path=/; max-age=31536000; samesite=lax`;
}

document.querySelectorAll("[data-theme-next]").forEach((button) => {
  button.closest("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const theme = after[root.dataset.theme || "auto"];
    put_theme(theme);
    button.value = after[theme];
    button.setAttribute("aria-label", button.dataset[theme]);
  });
});

// data-open="id" opens a dialog; a form with method="dialog" closes it without script.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  if (opener) document.getElementById(opener.dataset.open)?.showModal();
});

// Every page of an agent is live. One that shows nothing live has no script for it, so it comes from here.
const beside = document.querySelector("[data-live-else]");
if (beside && !document.querySelector("[data-live]")) import(beside.dataset.script);

// Keys: "g" then a letter goes to a place, j and k walk a list, "/" finds, "?" shows the keys. Never while typing, and not at
// all with data-keys="off" on <html> (WCAG 2.1.4), which the profile sets.
let pending = "";

function walk(step) {
  const items = [...document.querySelectorAll("[data-walk] > a, [data-walk] > li > a, [data-walk] th > a, [data-walk] > li > .who > a")];
  if (!items.length) return;
  const focused = items.indexOf(document.activeElement);
  const here = focused < 0 ? items.findIndex((item) => item.hasAttribute("aria-current")) : focused;
  items[Math.min(items.length - 1, Math.max(0, here + step))].focus();
}

const acts = {
  "/": () => document.querySelector("[data-find]")?.focus(),
  "?": () => document.getElementById("keys")?.showModal(),
  j: () => walk(1),
  k: () => walk(-1),
};

document.addEventListener("keydown", (event) => {
  if (root.dataset.keys === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable], [role=grid], dialog[open]")) return;
  const place = pending === "g" ? document.querySelector(`[data-key="g${CSS.escape(event.key)}"]`) : null;
  pending = event.key === "g" ? "g" : "";
  if (place) place.click();
  else if (acts[event.key]) {
    event.preventDefault();
    acts[event.key]();
  }
});
