// The permission matrix: arrow keys, three states, ranges, ticked rows. Each change goes to the server, which keeps it in mind
// and answers with the cells as they would be; nothing holds before it is applied. Names in the grid work without any of this.

import { parse } from "./html.js";
import { choose_row, walk_head } from "./matrix_rows.js";

const page = document.querySelector("[data-perm]");
const box = page?.querySelector("[data-box]");
if (box) start();

function start() {
  const NEXT = { inherit: "allow", allow: "deny", deny: "inherit" };
  const KEY = { a: "allow", d: "deny", i: "inherit", Backspace: "inherit", Delete: "inherit" };
  const bar = page.querySelector("[data-cellbar]");
  const grid = box.querySelector("[data-matrix]");
  const rows = [...grid.tBodies[0].rows].map((tr) => [...tr.querySelectorAll(".tri")]);
  const scopes = [...grid.querySelectorAll("thead [data-scope]")];
  const ways = [...grid.querySelectorAll("thead [data-way]")];
  const step_of_scope = ways.length / scopes.length;
  const may_change = grid.getAttribute("aria-readonly") !== "true";
  const keys_off = () => document.documentElement.dataset.keys === "off";
  const steps = [];
  let at = null;
  let from = null;
  let sending = Promise.resolve();
  let sent = 0;

  const row_of = (cell) => cell.closest("tr");
  const place = (cell) => {
    const r = row_of(cell).sectionRowIndex;
    return [r, rows[r].indexOf(cell)];
  };
  const head = (cell) => ways[place(cell)[1]];
  const scope = (cell) => scopes[Math.floor(place(cell)[1] / step_of_scope)];
  const seen = (cell) => cell.dataset.was ?? cell.dataset.set;
  const word = (cell, effect) => [row_of(cell).dataset.row, head(cell).dataset.way, scope(cell).dataset.scope, head(cell).dataset.kind, seen(cell), effect].join(" ");

  // One row can stand on a page twice, as itself and above others; both are the same cell.
  function set(cells, effect) {
    const changes = [...new Map(cells.filter((cell) => cell.dataset.set !== effect).map((cell) => [word(cell, effect), [cell, cell.dataset.set]])).values()];
    if (!changes.length || !may_change) return;
    steps.push(changes);
    keep(changes.map(([cell]) => [cell, effect]));
  }
  function undo() {
    const step = steps.pop();
    if (!step) return;
    keep(step);
    go(step[0][0], false);
  }
  function keep(changes) {
    const body = new URLSearchParams({ csrf: page.dataset.csrf });
    for (const [cell, effect] of changes) body.append("cell", word(cell, effect));
    for (const [cell, effect] of changes) likely(cell, effect);
    const mine = ++sent;
    sending = sending.then(() => tell(body, mine)).catch(lost);
    show(at);
  }
  // What is likely, until the server has said it.
  function likely(cell, effect) {
    if (!cell.dataset.was) cell.dataset.was = cell.dataset.set;
    cell.dataset.set = effect;
    if (effect !== "inherit") cell.dataset.eff = effect;
    cell.classList.toggle("changed", cell.dataset.was !== effect);
  }
  async function tell(body, mine) {
    const answer = await fetch(page.dataset.draft, { method: "POST", body });
    if (!answer.ok) throw new Error(answer.status === 422 ? await answer.text() : "");
    const html = await answer.text();
    if (mine === sent) repaint(parse(html));
  }
  function lost(problem) {
    if (problem.message) bar.querySelector("[data-origin]").textContent = problem.message;
    else location.reload();
  }
  function repaint(fresh) {
    const theirs = fresh.querySelectorAll("tbody .tri");
    const ours = rows.flat();
    if (theirs.length !== ours.length) return location.reload();
    ours.forEach((cell, n) => copy(cell, theirs[n]));
    page.querySelector("[data-origins]").replaceWith(fresh.querySelector("[data-origins]"));
    page.querySelector("[data-pending]").replaceWith(fresh.querySelector("[data-pending]"));
    offer();
    show(at);
  }
  function copy(cell, fresh) {
    if (cell.getAttribute("aria-label") !== fresh.getAttribute("aria-label")) cell.setAttribute("aria-label", fresh.getAttribute("aria-label"));
    for (const name of ["set", "eff", "o"]) if (cell.dataset[name] !== fresh.dataset[name]) cell.dataset[name] = fresh.dataset[name];
    if (fresh.dataset.was) cell.dataset.was = fresh.dataset.was;
    else delete cell.dataset.was;
    for (const name of ["changed", "kinds"]) cell.classList.toggle(name, fresh.classList.contains(name));
  }

  // The cell bar: who, which number, what holds and why.
  function show(cell) {
    if (!cell) return;
    bar.querySelector("[data-where]").textContent = [row_of(cell).dataset.name, head(cell).firstElementChild.textContent, scope(cell).dataset.name].join(" · ");
    const badge = bar.querySelector("[data-eff]");
    badge.textContent = badge.dataset[cell.dataset.eff];
    badge.className = cell.dataset.eff === "allow" ? "badge ok" : "badge bad";
    bar.querySelector("[data-origin]").textContent = page.querySelectorAll("[data-origins] > li")[Number(cell.dataset.o)]?.textContent ?? "";
    bar.querySelectorAll("input[type=radio]").forEach((radio) => {
      radio.checked = radio.value === cell.dataset.set;
    });
    const asked = new URLSearchParams({ who: row_of(cell).dataset.row, way: head(cell).dataset.way, number: scope(cell).dataset.scope });
    if (head(cell).dataset.kind !== "-") asked.set("class", head(cell).dataset.kind);
    page.querySelectorAll("[data-why], [data-why-cell]").forEach((link) => {
      link.href = `/permissions/why?${asked}`;
    });
  }
  const chosen = () => {
    const cells = [...grid.querySelectorAll("tbody .tri.sel")];
    return cells.length ? cells : [at];
  };
  function range(a, b) {
    const [r1, c1] = place(a);
    const [r2, c2] = place(b);
    rows.forEach((row, r) =>
      row.forEach((cell, c) => {
        const on = a !== b && r >= Math.min(r1, r2) && r <= Math.max(r1, r2) && c >= Math.min(c1, c2) && c <= Math.max(c1, c2);
        if (on === cell.classList.contains("sel")) return;
        cell.classList.toggle("sel", on);
        if (on) cell.setAttribute("aria-selected", "true");
        else cell.removeAttribute("aria-selected");
      }),
    );
  }
  // Roving focus: one cell is in the tab order, the rest are reached by arrows.
  function mark(cell) {
    if (at) {
      at.tabIndex = -1;
      at.classList.remove("at");
    }
    at = cell;
    cell.tabIndex = 0;
    cell.classList.add("at");
    show(cell);
  }
  function go(cell, extend) {
    if (!extend) from = cell;
    mark(cell);
    cell.focus();
    range(from, cell);
    remember();
  }
  function remember() {
    const column = head(at);
    sessionStorage.setItem("matrix-at", JSON.stringify([row_of(at).dataset.row, scope(at).dataset.scope, column.dataset.way]));
  }
  function recalled() {
    const [row, number, way] = JSON.parse(sessionStorage.getItem("matrix-at") ?? "[]");
    const tr = [...grid.tBodies[0].rows].find((one) => one.dataset.row === row);
    const c = ways.findIndex((one, n) => one.dataset.way === way && scopes[Math.floor(n / step_of_scope)].dataset.scope === number);
    return tr && c >= 0 ? rows[tr.sectionRowIndex][c] : null;
  }

  function turn(event) {
    if (keys_off()) return false;
    if (event.key === " ") set(chosen(), NEXT[at.dataset.set]);
    else if (KEY[event.key]) set(chosen(), KEY[event.key]);
    else if (event.key === "w" || event.key === "Enter") page.querySelector("[data-why-cell]").click();
    else return false;
    return true;
  }
  function moved(event, cell) {
    const rtl = getComputedStyle(grid).direction === "rtl" ? -1 : 1;
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -rtl], ArrowRight: [0, rtl], PageUp: [-10, 0], PageDown: [10, 0] }[event.key];
    const [r, c] = place(cell);
    if (event.key === "Home" || event.key === "End") {
      const row = rows[event.ctrlKey ? (event.key === "Home" ? 0 : rows.length - 1) : r];
      go(row[event.key === "Home" ? 0 : row.length - 1], event.shiftKey);
      return true;
    }
    if (!by) return false;
    if (c === 0 && by[1] < 0 && !event.shiftKey) return choose_row(row_of(cell));
    const row = rows[Math.max(0, Math.min(rows.length - 1, r + by[0]))];
    go(row[Math.max(0, Math.min(row.length - 1, c + by[1]))], event.shiftKey);
    return true;
  }

  grid.addEventListener("keydown", (event) => {
    if (event.target.closest("tbody th")) return walk_head(event, grid, (tr) => go(rows[tr.sectionRowIndex][0], false));
    const cell = event.target.closest("tbody .tri");
    if (!cell) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "z") undo();
    else if (event.key === "Escape") {
      from = cell;
      range(cell, cell);
    } else if (!moved(event, cell) && (event.ctrlKey || event.metaKey || event.altKey || !turn(event))) return;
    event.preventDefault();
  });
  // A click chooses a cell, a second one turns it; with Shift it is the end of a range.
  grid.addEventListener("click", (event) => {
    const cell = event.target.closest("tbody .tri");
    if (!cell) return;
    const again = cell === at && document.activeElement === cell && !event.shiftKey;
    if (!again) go(cell, event.shiftKey);
    else set([cell], NEXT[cell.dataset.set]);
  });
  let pressed = null;
  grid.addEventListener("pointerdown", (event) => {
    const cell = event.target.closest("tbody .tri");
    // else the browser would give the focus before the click, and every first click would count as a second
    if (cell) event.preventDefault();
    pressed = cell && event.pointerType === "mouse" && event.button === 0 && !event.shiftKey ? cell : null;
  });
  grid.addEventListener("mousedown", (event) => {
    if (event.target.closest("tbody .tri")) event.preventDefault();
  });
  grid.addEventListener("pointerover", (event) => {
    const cell = event.target.closest("tbody .tri");
    if (!pressed || !cell || !(event.buttons & 1) || cell === at) return;
    if (at !== pressed && from !== pressed) go(pressed, false);
    go(cell, true);
  });
  bar.addEventListener("change", (event) => {
    if (event.target.type === "radio") set(chosen(), event.target.value);
  });
  page.addEventListener("click", (event) => {
    if (event.target.closest("[data-undo]")) undo();
    const button = event.target.closest("[data-bulk-set]");
    if (!button) return;
    const c = place(at)[1];
    set([...grid.querySelectorAll("tbody th input:checked")].map((tick) => rows[tick.closest("tr").sectionRowIndex][c]), button.dataset.bulkSet);
  });
  grid.addEventListener("change", () => {
    const ticked = [...grid.querySelectorAll("tbody th input:checked")].map((tick) => tick.closest("tr").dataset.row);
    const bulk = bar.querySelector("[data-bulk]");
    bulk.hidden = ticked.length === 0;
    bulk.querySelector("[data-bulk-count]").textContent = ticked.length;
    const link = bulk.querySelector("[data-copy]");
    link.href = `/permissions/copy?${new URLSearchParams({ to: ticked.join(".") })}`;
  });

  // What is to be applied is shown over the grid; the page of the same name is there without script.
  function offer() {
    const button = page.querySelector("[data-undo]");
    if (button) button.hidden = steps.length === 0;
  }
  page.addEventListener("click", async (event) => {
    const link = event.target.closest("[data-preview]");
    const dialog = document.querySelector("[data-preview-box]");
    if (!link || !dialog || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    await sending;
    const answer = await fetch(`${link.href}?part=1`);
    if (!answer.ok || answer.redirected) return location.assign(link.href);
    dialog.replaceChildren(parse(await answer.text()));
    dialog.showModal();
  });

  rows.flat().forEach((cell) => {
    cell.tabIndex = -1;
  });
  grid.querySelectorAll("tbody th input, tbody th a").forEach((control) => {
    control.tabIndex = -1;
  });
  bar.hidden = false;
  const first = recalled();
  mark(first ?? rows[0][0]);
  from = at;
  if (first && document.referrer.includes("/permissions")) at.focus();
  offer();
}
