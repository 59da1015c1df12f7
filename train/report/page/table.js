"use strict";
// Tables that sort by a click on a heading: best first, worst first, then as they were.

for (const table of document.querySelectorAll("table.numbers")) {
  const bodies = [...table.tBodies];
  const rows = bodies.map((body) => [...body.rows]);
  const headings = [...table.querySelectorAll("button.sort")];

  const restore = () => bodies.forEach((body, at) => body.append(...rows[at]));

  const sort = (column, ascending) => {
    const value = (row) => {
      const text = row.cells[column + 1].dataset.value;
      return text === "" ? null : Number(text);
    };
    const all = rows.flatMap((own) => own.slice(1));
    // What is undefined comes last, whichever way.
    all.sort((one, other) => {
      const [a, b] = [value(one), value(other)];
      if (a === null || b === null) return (a === null) - (b === null);
      return ascending ? a - b : b - a;
    });
    bodies[0].append(...all);
  };

  headings.forEach((button, column) => {
    button.addEventListener("click", () => {
      const cell = button.closest("th");
      const best = button.dataset.more === "1" ? "descending" : "ascending";
      const worst = best === "ascending" ? "descending" : "ascending";
      const next = { none: best, [best]: worst, [worst]: "none" }[cell.ariaSort];
      for (const other of headings) other.closest("th").ariaSort = "none";
      cell.ariaSort = next;
      table.classList.toggle("sorted", next !== "none");
      restore();
      if (next !== "none") sort(column, next === "ascending");
    });
  });
}

// Lines of the charts, switched by their legend.
for (const plots of document.querySelectorAll(".plots")) {
  plots.addEventListener("change", ({ target }) => {
    target.closest("label").classList.toggle("off", !target.checked);
    for (const line of plots.querySelectorAll(`.line.${target.dataset.line}`)) {
      line.classList.toggle("off", !target.checked);
    }
  });
}
