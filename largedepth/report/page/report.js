"use strict";
// Without this script the page shows everything; with it the table can be sorted and filtered.
(() => {
  const table = document.querySelector(".theorems");
  const form = document.querySelector(".filters");
  const bodies = [...table.tBodies];
  const gravity = ["refuted", "undecided", "consistent", "not tested"];
  const numeric = (body, key) => (body.dataset[key] === "" ? NaN : Number(body.dataset[key]));
  const value = (body, key) =>
    key === "verdict" ? gravity.indexOf(body.dataset.verdict) : numeric(body, key);

  function sort(head) {
    const key = head.dataset.key;
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const ordered = [...bodies].sort((a, b) => {
      const [x, y] = [value(a, key), value(b, key)];
      // What has no number stays at the end, either way.
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
      return (up ? x - y : y - x) || numeric(a, "order") - numeric(b, "order");
    });
    table.append(...ordered);
  }

  for (const head of table.tHead.querySelectorAll("[data-key]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(head));
    head.replaceChildren(button);
  }

  function filter() {
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const { regime, verdict } = form.elements;
    let shown = 0;
    for (const body of bodies) {
      const text = body.textContent.toLowerCase();
      body.hidden =
        (regime.value && body.dataset.regime !== regime.value) ||
        (verdict.value && body.dataset.verdict !== verdict.value) ||
        !words.every((word) => text.includes(word));
      shown += !body.hidden;
    }
    form.querySelector("output").textContent = `${shown} of ${bodies.length} theorems`;
  }

  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.elements.open.addEventListener("click", (event) => {
    const open = event.currentTarget.getAttribute("aria-pressed") !== "true";
    event.currentTarget.setAttribute("aria-pressed", String(open));
    for (const details of table.querySelectorAll("details")) details.open = open;
  });

  // The head of the table sticks below the contents, however many lines these take.
  const contents = document.querySelector(".contents");
  const measure = () => table.style.setProperty("--nav", `${contents.offsetHeight}px`);
  addEventListener("resize", measure);
  measure();
})();
