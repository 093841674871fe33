// Sorts a table of trials by the column whose heading is pressed. Without this script the best trial is first.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const descending = heading.getAttribute("aria-sort") === "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const keyed = [...body.rows].map((row) => [row.cells[column].textContent, row]);
      const numeric = keyed.every(([text]) => text === "-" || text === "" || !Number.isNaN(Number(text)));
      const compare = (left, right) => {
        const [a, b] = [left[0], right[0]];
        const [none, other] = [a === "-" || a === "", b === "-" || b === ""];
        if (none || other) return none - other; // absent values come last in either direction
        const order = numeric ? Number(a) - Number(b) : a.localeCompare(b);
        return descending ? -order : order;
      };
      body.append(...keyed.sort(compare).map(([, row]) => row));
    });
  });
}
