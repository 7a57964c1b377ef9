// The thread's box: what a text costs, what the gates would say, and Ctrl+Enter. The server counts and asks again.

import { parse, patch } from "./html.js";
import { measure, plain } from "./segments.js";

const TYPED_MS = 400;

const form = document.querySelector("[data-composer]");

function fill(words, values) {
  return words.replace(/{(\w+)}/g, (_, name) => values[name]);
}

function show_cost(box, meter, offer) {
  const now = measure(box.value);
  const better = measure(plain(box.value));
  const words = now.segments === 1 ? form.dataset.one : form.dataset.many;
  meter.textContent = now.segments ? fill(words, { encoding: form.dataset[now.encoding], count: now.segments, room: now.room }) : "";
  meter.classList.toggle("warn", now.segments > 2);
  const saves = now.costly !== "" && better.segments < now.segments;
  offer.hidden = !saves;
  if (saves) offer.querySelector("[data-say]").textContent = fill(form.dataset.costly, { letter: now.costly, count: now.segments, better: better.segments });
}

async function ask() {
  const answer = await fetch(`${form.dataset.composer}/advice`, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(answer.statusText);
  const old = document.getElementById("verdict");
  const fresh = parse((await answer.json()).html);
  fresh.open = old.open;
  patch(old, fresh);
}

function watch_form() {
  const box = form.querySelector("textarea");
  const meter = form.querySelector("[data-meter]");
  const offer = form.querySelector("[data-plain]");
  let typed = 0;
  let asking = false;
  let anew = false;

  async function ask_in_turn() {
    anew = true;
    if (asking) return;
    asking = true;
    while (anew) {
      anew = false;
      try {
        await ask();
      } catch {
        document.querySelector("#verdict .soft").textContent = form.dataset.unasked;
      }
    }
    asking = false;
  }
  function soon() {
    clearTimeout(typed);
    typed = setTimeout(ask_in_turn, TYPED_MS);
  }
  function changed() {
    show_cost(box, meter, offer);
    soon();
  }

  form.querySelector("[data-without-script]").hidden = true;
  box.addEventListener("input", changed);
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form.requestSubmit();
  });
  offer.querySelector("button").addEventListener("click", () => {
    box.value = plain(box.value);
    changed();
    box.focus();
  });
  form.addEventListener("submit", () => form.querySelector(".primary").setAttribute("aria-busy", "true"));
  globalThis.addEventListener("pageshow", () => form.querySelector(".primary").removeAttribute("aria-busy"));
  document.addEventListener("ringback:changed", ({ detail }) => detail.box !== "threads" && soon());
  show_cost(box, meter, offer);
}

// What comes while somebody looks is read; what comes while they look elsewhere is read when they are back.
let unread = false;

function note_read() {
  if (!unread || document.visibilityState !== "visible") return;
  unread = false;
  fetch(`${form.dataset.composer}/read`, { method: "POST", body: new URLSearchParams({ csrf: form.elements.csrf.value }) }).catch(() => {});
}

// What is written here stays while something else on the page is pressed: claimed, handed on, noted. A tab keeps it for itself.
const KEPT_MS = 30_000;

function keep(box) {
  const key = `draft ${form.dataset.composer}`;
  const [at, words] = JSON.parse(sessionStorage.getItem(key) ?? "[0]");
  sessionStorage.removeItem(key);
  if (box.value === "" && Date.now() - at < KEPT_MS) box.value = words;
  document.addEventListener("submit", ({ target }) => {
    const here = [form.dataset.composer, "/sessions/"].some((path) => target.getAttribute("action")?.startsWith(path));
    if (target !== form && here && box.value !== "") sessionStorage.setItem(key, JSON.stringify([Date.now(), box.value]));
  });
}

// Their clock goes on while the page is open.
function tick() {
  const clock = document.querySelector("[data-zone]");
  if (!clock) return;
  const time = new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: clock.dataset.zone });
  if (clock.textContent !== time) clock.textContent = time;
}

if (form) {
  keep(form.querySelector("textarea"));
  watch_form();
  document.addEventListener("ringback:changed", ({ detail }) => {
    unread ||= detail.fresh && detail.box === "entries";
    note_read();
  });
  document.addEventListener("visibilitychange", note_read);
}
setInterval(tick, 10_000);
