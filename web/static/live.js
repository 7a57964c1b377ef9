// Keeps a page up to date while somebody looks at it. <div data-live="/address"> names a stream of server-sent events; each
// carries {id, html}, a fragment that the server rendered for this reader. It takes the place of the element with that id, or
// is put behind `after` in `box`. Without script the page shows the same after a reload.

import { parse, patch } from "./html.js";

const SILENT_MS = 40_000;
const AGAIN_MS = 30_000;
const NEAR_END = 80;

const title = document.title;
const timeline = document.querySelector("[data-timeline]");
const below = document.querySelector("[data-new]");
let unseen = 0;

function at_end() {
  return !timeline || Math.abs(timeline.scrollTop) < NEAR_END;
}

function show_below() {
  if (!below) return;
  if (at_end()) unseen = 0;
  below.hidden = unseen === 0;
  const words = below.querySelector("[data-one]");
  if (unseen) words.textContent = unseen === 1 ? words.dataset.one : words.dataset.many.replace("{count}", unseen);
}

timeline?.addEventListener("scroll", show_below, { passive: true });
below?.querySelector("button").addEventListener("click", () => timeline.scrollTo({ top: 0 }));

function put_in(box, fragment, after) {
  const before = after ? document.getElementById(after) : null;
  if (before && box.contains(before)) before.after(fragment);
  else if (after === "") box.prepend(fragment);
  else box.append(fragment);
}

function place(stream_box, { id, html, box, after }) {
  const fragment = parse(html);
  const old = document.getElementById(id);
  const into = (box && document.getElementById(box)) || stream_box;
  if (old) patch(old, fragment);
  else {
    const read_on = !at_end() && timeline.contains(into);
    into.querySelector("[data-until-first]")?.remove();
    put_in(into, fragment, after);
    if (read_on) unseen += 1;
    show_below();
  }
  document.dispatchEvent(new CustomEvent("ringback:changed", { detail: { box: into.id, fresh: !old } }));
}

function arrange({ box, ids }) {
  const into = document.getElementById(box);
  if (!into) return;
  const wanted = new Set(ids);
  [...into.children].forEach((child) => child.id && !wanted.has(child.id) && child.remove());
  let last = null;
  for (const id of ids) {
    const row = document.getElementById(id);
    if (!row) continue;
    const right = last ? last.nextElementSibling : into.firstElementChild;
    // a row that is focused keeps its place in the document, since moving it would take the focus away
    if (row !== right && !row.contains(document.activeElement)) last ? last.after(row) : into.prepend(row);
    last = row;
  }
}

function count(counts) {
  for (const [path, waiting] of Object.entries(counts)) {
    const link = document.querySelector(`.nav a[href="${CSS.escape(path)}"]`);
    let shown = link?.querySelector(".count");
    if (link && !shown && waiting) {
      shown = Object.assign(document.createElement("span"), { className: "count push" });
      link.append(shown);
    }
    if (shown) {
      shown.hidden = !waiting;
      if (shown.firstChild?.nodeType === Node.TEXT_NODE) shown.firstChild.data = waiting;
      else shown.prepend(waiting);
    }
    if (link?.hasAttribute("aria-current")) document.title = waiting ? `(${waiting}) ${title}` : title;
  }
}

function follow(box, path) {
  const states = document.querySelectorAll("[data-live-state]");
  const dot = document.querySelector("[data-live-dot]");
  const helps = document.querySelectorAll("[data-live-help]");
  const address = new URL(path, location.href);
  let stream = null;
  let lost = "";
  let silence = 0;
  let again = 0;

  function say(words) {
    for (const state of states) {
      const text = words(state.dataset);
      if (state.textContent !== text) state.textContent = text;
    }
  }
  function is_live(live) {
    dot?.classList.toggle("ok", live);
    document.documentElement.classList.toggle("not-live", !live);
    helps.forEach((help) => (help.hidden = live));
  }
  function cut() {
    lost ||= new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    say(({ off }) => off.replace("{time}", lost));
    is_live(false);
  }
  function close() {
    clearTimeout(silence);
    clearTimeout(again);
    stream?.close();
    stream = null;
  }
  function open() {
    close();
    stream = new EventSource(address);
    stream.addEventListener("open", () => {
      lost = "";
      say(({ on }) => on);
      is_live(true);
    });
    stream.addEventListener("error", () => {
      cut();
      // a refusal closes a stream for good; the browser itself only comes back after a cut
      if (stream?.readyState === EventSource.CLOSED) again = setTimeout(open, AGAIN_MS);
    });
    stream.addEventListener("message", (event) => {
      if (event.lastEventId) address.searchParams.set("since", event.lastEventId);
      place(box, JSON.parse(event.data));
    });
    stream.addEventListener("order", (event) => arrange(JSON.parse(event.data)));
    stream.addEventListener("counts", (event) => count(JSON.parse(event.data)));
    stream.addEventListener("beat", () => {
      clearTimeout(silence);
      silence = setTimeout(() => {
        cut();
        open();
      }, SILENT_MS);
    });
    stream.addEventListener("ended", (event) => {
      close();
      cut();
      const { why } = JSON.parse(event.data);
      say(() => why);
    });
  }

  globalThis.addEventListener("online", () => lost && open());
  globalThis.addEventListener("pagehide", close);
  globalThis.addEventListener("pageshow", (event) => event.persisted && open());
  open();
}

// one stream a page: a browser opens no more than six connections to a site. A page that shows nothing live has
// <p data-live-else="/address"> for what comes to its reader all the same.
const followed = document.querySelector("[data-live]");
const other = document.querySelector("[data-live-else]");
if (followed) follow(followed, followed.dataset.live);
else if (other) follow(other, other.dataset.liveElse);
