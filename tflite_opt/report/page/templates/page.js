"use strict";
(() => {
  // Texts and lines take the page's colour, in light and in dark.
  const ink = "currentColor";
  const config = {
    background: "transparent",
    view: { stroke: null },
    axis: {
      labelColor: ink, titleColor: ink, domainColor: ink, tickColor: ink,
      gridColor: ink, gridOpacity: 0.12, domainOpacity: 0.4, tickOpacity: 0.4,
      titleFontWeight: 500, labelOverlap: "greedy",
    },
    legend: { labelColor: ink, titleColor: ink, labelLimit: 220, symbolOpacity: 1 },
    line: { color: "#4c78a8" },
    font: "system-ui, sans-serif",
  };
  const options = {
    actions: false, renderer: "svg", tooltip: { theme: "custom" },
  };
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const draw = (element, spec) =>
    vegaEmbed(element, { config, ...spec }, options).catch(console.error);

  const specs = read("charts");
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      watcher.unobserve(target);
      draw(target, specs[target.dataset.chart]);
    }
  }, { rootMargin: "300px" });
  document.querySelectorAll("[data-chart]").forEach((x) => watcher.observe(x));

  const axesForm = document.getElementById("axes");
  if (axesForm) {
    const { spec, points, axes } = read("scatter-data");
    const narrow = matchMedia("(max-width: 40rem)");
    const chosen = (name) => axes.find((x) => x.field === axesForm[name].value);
    const known = (value) => value !== null && value !== undefined;
    const update = () => {
      const [x, y] = [chosen("x"), chosen("y")];
      const values = points
        .filter((p) => p.place === axesForm.place.value || p.place === null)
        .filter((p) => known(p[x.field]) && known(p[y.field]))
        .map((p) => ({
          ...p,
          // Without an interval the bar has no length.
          x: p[x.field], x_low: p[x.field + "_low"] ?? p[x.field], x_high: p[x.field + "_high"] ?? p[x.field],
          y: p[y.field], y_low: p[y.field + "_low"] ?? p[y.field], y_high: p[y.field + "_high"] ?? p[y.field],
          cost: x.higher_is_better ? -p[x.field] : p[x.field],
          better: y.higher_is_better ? p[y.field] : -p[y.field],
        }));
      const encode = (channel, axis) => ({
        ...spec.encoding[channel],
        title: axis.label,
        axis: { format: axis.format, tickCount: 6 },
        scale: {
          ...spec.encoding[channel].scale,
          // A logarithm has no place for what is not positive.
          ...(axis.is_log && values.every((v) => v[channel] > 0)
            ? { type: "log", zero: undefined } : {}),
        },
      });
      draw(document.getElementById("scatter"), {
        ...spec,
        datasets: { points: values },
        encoding: { ...spec.encoding, x: encode("x", x), y: encode("y", y) },
        config: {
          ...config,
          legend: { ...config.legend, orient: narrow.matches ? "bottom" : "right", columns: narrow.matches ? 2 : 1 },
        },
      });
    };
    axesForm.addEventListener("change", update);
    narrow.addEventListener("change", update);
    update();
  }

  const table = document.getElementById("table");
  if (table) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    const key = (row, column) => row.cells[column].dataset.key;
    const compare = (a, b) =>
      a !== "" && b !== "" && !isNaN(a) && !isNaN(b) ? a - b : a.localeCompare(b);
    heads.forEach((head, column) => head.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((x) => x.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...body.rows].sort((a, b) => {
        const [first, second] = [key(a, column), key(b, column)];
        // What is not known comes last in both directions.
        if (first === "" || second === "") return (first === "") - (second === "");
        return (up ? 1 : -1) * compare(first, second);
      });
      body.append(...rows);
    }));
    const filter = document.getElementById("filter");
    const optimal = document.getElementById("optimal");
    const show = () => {
      const words = filter.value.toLowerCase().split(/\s+/);
      let count = 0;
      for (const row of body.rows) {
        const text = (row.textContent + " " + row.dataset.text).toLowerCase();
        row.hidden = !words.every((word) => text.includes(word)) ||
          (optimal.checked && row.dataset.optimal === undefined);
        count += !row.hidden;
      }
      document.getElementById("count").textContent = `${count} of ${body.rows.length}`;
    };
    filter.form.addEventListener("input", show);
    filter.form.addEventListener("submit", (event) => event.preventDefault());
    show();
  }

  // A link to a variant opens it.
  const open = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) {
      target.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", open);
  open();
})();
