// Puts HTML from the server into the page: parsed by the browser through our one Trusted Types policy, never glued.
// Elements that stay the same are left alone, so that nothing is read out twice, folds up, or loses the focus.

const policy = globalThis.trustedTypes?.createPolicy("ringback", { createHTML: (html) => html }) ?? { createHTML: (html) => html };

export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = policy.createHTML(html);
  return template.content.firstElementChild;
}

// What is being used is replaced when the reader leaves it; only the latest that came meanwhile counts.
const waiting = new WeakMap();

function swap(old, fresh) {
  if (!old.contains(document.activeElement) || document.activeElement === document.body) {
    old.replaceWith(fresh);
    return;
  }
  const first = !waiting.has(old);
  waiting.set(old, fresh);
  if (!first) return;
  old.addEventListener("focusout", function left(event) {
    if (old.contains(event.relatedTarget)) return;
    old.removeEventListener("focusout", left);
    old.replaceWith(waiting.get(old));
  });
}

function alike(old, fresh) {
  const ours = [...old.childNodes];
  const theirs = [...fresh.childNodes];
  return old.nodeName === fresh.nodeName && ours.length > 0 && ours.length === theirs.length && ours.every((child, at) => child.nodeName === theirs[at].nodeName);
}

function copy_attributes(old, fresh) {
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== "open" && name !== "hidden") old.removeAttribute(name);
}

export function patch(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (!alike(old, fresh)) {
    swap(old, fresh);
    return;
  }
  copy_attributes(old, fresh);
  const theirs = [...fresh.childNodes];
  [...old.childNodes].forEach((child, at) => {
    if (child.nodeType === Node.ELEMENT_NODE) patch(child, theirs[at]);
    else if (child.data !== theirs[at].data) child.data = theirs[at].data;
  });
}
