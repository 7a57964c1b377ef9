// Keeps a page up to date while somebody looks at it. <div data-live="/address"> names a stream of server-sent events; each
// carries {id, html}, a fragment that the server rendered for this reader. It replaces the element with that id, or is
// appended. Without script the page shows the same after a reload.

const policy = globalThis.trustedTypes?.createPolicy("ringback", { createHTML: (html) => html }) ?? { createHTML: (html) => html };

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = policy.createHTML(html);
  return template.content.firstElementChild;
}

function place(box, { id, html }) {
  const fragment = parse(html);
  const old = document.getElementById(id);
  if (old && box.contains(old)) old.replaceWith(fragment);
  else box.append(fragment);
}

function say(state, text) {
  if (state && state.textContent !== text) state.textContent = text;
}

function follow(box) {
  const state = document.querySelector("[data-live-state]");
  const help = document.querySelector("[data-live-help]");
  const stream = new EventSource(box.dataset.live);
  let lost = "";
  stream.addEventListener("open", () => {
    lost = "";
    say(state, state?.dataset.on);
    if (help) help.hidden = true;
  });
  stream.addEventListener("error", () => {
    lost ||= new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    say(state, state?.dataset.off.replace("{time}", lost));
    if (help) help.hidden = false;
  });
  stream.addEventListener("message", (event) => {
    box.querySelector("[data-until-first]")?.remove();
    place(box, JSON.parse(event.data));
  });
}

document.querySelectorAll("[data-live]").forEach(follow);
