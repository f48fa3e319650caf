"use strict";
// Pages work without this: it folds trees, copies links and spares a tap.

for (const select of document.querySelectorAll("select[data-go]")) {
  select.form.querySelector("button").hidden = true;
  select.addEventListener("change", () => select.form.requestSubmit());
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue; // not where the page came unencrypted
  const words = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = button.parentElement.querySelector("input");
    field.select();
    await navigator.clipboard.writeText(field.value);
    button.textContent = button.dataset.copy;
    setTimeout(() => { button.textContent = words; }, 2000);
  });
}

for (const table of document.querySelectorAll("table[data-tree]")) {
  const rows = [...table.tBodies[0].rows];
  const depth = row => Number(row.dataset.depth);
  const fold = row => row.querySelector(".fold");
  const show = () => {
    let folded = Infinity; // rows deeper than this are not shown
    for (const row of rows) {
      if (depth(row) <= folded) folded = Infinity;
      row.hidden = depth(row) > folded;
      const button = fold(row);
      if (!row.hidden && button && button.getAttribute("aria-expanded") === "false") folded = depth(row);
    }
  };
  // A long tree begins with as many levels as fit a window.
  let open = 0;
  while (rows.filter(row => depth(row) <= open + 1).length <= 40 && rows.some(row => depth(row) > open)) open++;
  for (const row of rows) {
    const button = fold(row);
    if (!button) continue;
    button.hidden = false;
    if (depth(row) >= open) button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => {
      button.setAttribute("aria-expanded", button.getAttribute("aria-expanded") === "true" ? "false" : "true");
      show();
    });
  }
  show();
  // All of it is printed.
  addEventListener("beforeprint", () => { for (const row of rows) row.hidden = false; });
  addEventListener("afterprint", show);
}
