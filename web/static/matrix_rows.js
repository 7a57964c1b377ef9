// The head of a row: tick, fold, name. It is one step before the row's first cell, so the whole grid is one stop for Tab.

const controls = (tr) => [...tr.querySelectorAll("th input, th a")];

export function choose_row(tr) {
  controls(tr).at(-1).focus();
  return true;
}

export function walk_head(event, grid, into) {
  const control = event.target;
  const tr = control.closest("tr");
  const all = controls(tr);
  const here = all.indexOf(control);
  const forward = getComputedStyle(grid).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
  const back = forward === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
  if (event.key === forward) {
    if (all[here + 1]) all[here + 1].focus();
    else into(tr);
  } else if (event.key === back) {
    all[Math.max(0, here - 1)].focus();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const next = event.key === "ArrowDown" ? tr.nextElementSibling : tr.previousElementSibling;
    const theirs = next ? controls(next) : all;
    // ticks stand under ticks and names under names, though not every row folds
    const same = theirs.filter((one) => one.nodeName === control.nodeName);
    (same.at(-1) ?? theirs.at(-1)).focus();
  } else if (event.key === " " && control.nodeName === "A" && control.getAttribute("role") === "button") {
    control.click();
  } else {
    return;
  }
  event.preventDefault();
}
