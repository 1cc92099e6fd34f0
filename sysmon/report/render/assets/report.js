// The charts of the page: drawn when they come into view, zoomed and pointed at together.
(() => {
  "use strict";

  const page = JSON.parse(document.getElementById("data").textContent);
  const { numbers, findGaps, human, tick, span, timeSplits, timeTexts } = texts(page);
  const { ink, lineInk, dash, faded, forget } = colours();
  const whole = { min: page.begin, max: page.end };
  const shortest = 10000;
  const mostBands = 3;
  const height = 200;
  let view = whole;
  const charts = new Map();

  // ---- zooming, for all charts at once

  function repaint() {
    forget();
    for (const chart of charts.values()) chart.plot.redraw(false);
  }

  function zoom(min, max) {
    const length = Math.min(Math.max(max - min, shortest), whole.max - whole.min);
    const begin = Math.min(Math.max(min, whole.min), whole.max - length);
    view = { min: begin, max: begin + length };
    for (const chart of charts.values()) chart.plot.setScale("x", view);
    const full = length === whole.max - whole.min;
    document.getElementById("shown").textContent = full ? "" : span(view.min, view.max);
    for (const name of ["reset", "wider", "back", "forth"]) button(name).disabled = full;
  }

  function scale(by) {
    const middle = (view.min + view.max) / 2;
    const half = ((view.max - view.min) / 2) * by;
    zoom(middle - half, middle + half);
  }

  function move(by) {
    const way = (view.max - view.min) * by;
    zoom(view.min + way, view.max + way);
  }

  // ---- one chart

  function element(name, parent, text) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  }

  function build(figure) {
    const about = page.charts[Number(figure.dataset.chart)];
    const length = (about.end - about.begin) / about.parts;
    const xs = Array.from({ length: about.parts }, (_, index) => about.begin + (index + 0.5) * length);
    const lines = about.lines.map((line, index) => ({
      name: line.name,
      index,
      on: !line.hidden,
      means: numbers(line.mean),
      peaks: line.peak === undefined ? null : numbers(line.peak),
    }));
    const banded = lines.filter((line) => line.peaks);
    const gaps = findGaps(xs, lines, length);
    const place = figure.querySelector(".plot");
    const chart = { figure, about, lines, place };

    function range(plot, low, high) {
      if (low === null || high === null) return [0, 1];
      const top = high > 0 ? high * 1.06 : 0;
      const bottom = low < 0 ? low * 1.06 : 0;
      return [bottom, about.unit === "percent" && high <= 100 ? Math.min(top, 100) || 1 : top || 1];
    }

    function isolated(plot, at) {
      const values = plot.data[at];
      const alone = [];
      values.forEach((value, index) => {
        if (value === null) return;
        if ((values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null) alone.push(index);
      });
      return alone.length ? alone : null;
    }

    function shade(plot) {
      const { ctx, bbox } = plot;
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      const fill = (from, until, color, top, tall) => {
        const left = plot.valToPos(from, "x", true);
        const wide = Math.max(plot.valToPos(until, "x", true) - left, devicePixelRatio);
        ctx.fillStyle = color;
        ctx.fillRect(left, top, wide, tall);
      };
      for (const [from, until] of gaps) fill(from, until, ink("--gap"), bbox.top, bbox.height);
      for (const alert of about.alerts) {
        const color = ink(`--${alert.level}`);
        fill(alert.begin, alert.end, faded(color, 0.13), bbox.top, bbox.height);
        fill(alert.begin, alert.end, color, bbox.top, 3 * devicePixelRatio);
      }
      ctx.restore();
    }

    function limit(plot) {
      const { ctx, bbox } = plot;
      ctx.save();
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
      for (const { level, value } of about.limits) {
        if (value < plot.scales.y.min || value > plot.scales.y.max) continue;
        const top = Math.round(plot.valToPos(value, "y", true));
        ctx.strokeStyle = ink(`--${level}`);
        ctx.beginPath();
        ctx.moveTo(bbox.left, top);
        ctx.lineTo(bbox.left + bbox.width, top);
        ctx.stroke();
      }
      ctx.restore();
    }

    const axis = {
      stroke: () => ink("--soft"),
      font: "11px system-ui, sans-serif",
      grid: { stroke: () => ink("--rule"), width: 1 },
      ticks: { show: false },
    };
    const powers = Array.from({ length: 60 }, (_, power) => 2 ** power);
    const series = [{}];
    for (const line of lines) {
      series.push({
        show: line.on,
        stroke: () => lineInk(line.index),
        width: 1.5,
        dash: dash(line.index),
        points: { show: false, filter: isolated, size: 4, width: 0, fill: () => lineInk(line.index) },
      });
    }
    for (const line of banded) {
      line.band = series.length;
      series.push({
        show: false,
        stroke: () => faded(lineInk(line.index), 0.4),
        fill: () => faded(lineInk(line.index), 0.13),
        width: 0.75,
        points: { show: false },
      });
    }
    const options = {
      width: place.clientWidth,
      height,
      legend: { show: false },
      padding: [6, 18, 0, 0],
      scales: { x: { time: false, range: () => [view.min, view.max] }, y: { range } },
      axes: [
        { ...axis, size: 24, gap: 4, splits: timeSplits, values: timeTexts },
        {
          ...axis,
          size: 56,
          gap: 4,
          values: (plot, splits) => splits.map((value) => tick(value, about.unit)),
          ...(about.unit === "bytes" ? { incrs: powers } : {}),
        },
      ],
      series,
      bands: banded.map((line) => ({
        series: [line.band, line.index + 1],
        fill: () => faded(lineInk(line.index), 0.13),
      })),
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false },
        sync: { key: "page", setSeries: false, filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } },
        focus: { prox: 24, dist: (plot, at, index, here, there) => (at <= lines.length ? here - there : 1e6) },
        points: {
          size: 6,
          width: 0,
          fill: (plot, at) => (at <= lines.length ? lineInk(at - 1) : "transparent"),
        },
        bind: { dblclick: () => () => zoom(whole.min, whole.max) },
      },
      focus: { alpha: 0.35 },
      hooks: {
        drawClear: [shade],
        drawAxes: [limit],
        setCursor: [() => follow(chart)],
        setSelect: [
          (plot) => {
            const { left, width } = plot.select;
            if (width < 4) return;
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            zoom(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
          },
        ],
      },
    };
    place.replaceChildren();
    chart.plot = new uPlot(options, [xs, ...lines.map((line) => line.means), ...banded.map((line) => line.peaks)], place);
    chart.tip = element("div", place);
    chart.tip.className = "tip";
    chart.tip.hidden = true;
    legend(chart);
    bands(chart);
    listen(chart);
    return chart;
  }

  function bands(chart) {
    const few = chart.lines.filter((line) => line.on).length <= mostBands;
    for (const line of chart.lines) if (line.band) chart.plot.setSeries(line.band, { show: line.on && few });
  }

  function legend(chart) {
    const list = chart.figure.querySelector(".legend");
    list.replaceChildren();
    for (const line of chart.lines) {
      line.button = element("button", element("li", list));
      line.button.type = "button";
      line.button.style.setProperty("--line", `var(--c${line.index % 10})`);
      element("i", line.button);
      line.button.append(line.name);
      line.value = element("span", line.button);
      line.button.addEventListener("click", () => toggle(chart, line));
      line.button.addEventListener("dblclick", () => alone(chart, line));
      press(line);
    }
  }

  function press(line) {
    line.button.setAttribute("aria-pressed", String(line.on));
  }

  function show(chart, wanted) {
    for (const line of chart.lines) {
      line.on = wanted(line);
      chart.plot.setSeries(line.index + 1, { show: line.on });
      press(line);
    }
    bands(chart);
  }

  function toggle(chart, line) {
    show(chart, (other) => (other === line ? !other.on : other.on));
  }

  function alone(chart, line) {
    const others = chart.lines.some((other) => other !== line && other.on);
    show(chart, (other) => !others || other === line);
  }

  // ---- what is under the pointer

  function follow(chart) {
    const { plot, lines, about, tip } = chart;
    const { idx, left } = plot.cursor;
    const here = idx === null || idx === undefined || left < 0 ? null : idx;
    for (const line of lines) {
      if (line.value) line.value.textContent = here === null ? "" : human(line.means[here], about.unit);
    }
    if (!tip) return;
    tip.hidden = here === null || !(chart.pointed || chart.held);
    if (!tip.hidden) fillTip(chart, here, left);
  }

  function fillTip(chart, here, left) {
    const { plot, lines, about, tip } = chart;
    const length = (about.end - about.begin) / about.parts;
    const from = about.begin + here * length;
    tip.replaceChildren();
    element("b", tip, span(from, from + length));
    const visible = lines.filter((line) => line.on && line.means[here] !== null);
    visible.sort((first, second) => second.means[here] - first.means[here]);
    for (const line of visible.slice(0, 8)) {
      const row = element("div", tip);
      const name = element("span", row);
      element("i", name);
      name.style.setProperty("--line", `var(--c${line.index % 10})`);
      name.append(line.name);
      const peak = line.peaks && line.peaks[here] !== null ? `, peak ${human(line.peaks[here], about.unit)}` : "";
      element("span", row, human(line.means[here], about.unit) + peak);
    }
    if (!visible.length) element("div", tip, "no sample");
    for (const alert of about.alerts) {
      if (alert.begin > from + length || alert.end < from) continue;
      element("em", tip, `${alert.level.toUpperCase()} ${alert.name}`).className = alert.level;
    }
    const side = plot.over.offsetLeft;
    const room = plot.over.clientWidth;
    const wide = tip.offsetWidth;
    const right = left + 14 + wide <= room;
    tip.style.left = `${Math.max(0, side + (right ? left + 14 : left - 14 - wide))}px`;
    tip.style.top = "10px";
  }

  function listen(chart) {
    const { plot, place } = chart;
    const point = (on) => () => {
      chart.pointed = on;
      follow(chart);
    };
    plot.over.addEventListener("mouseenter", point(true));
    plot.over.addEventListener("mouseleave", point(false));
    plot.over.addEventListener(
      "touchmove",
      (event) => {
        const box = plot.over.getBoundingClientRect();
        chart.pointed = true;
        plot.setCursor({ left: event.touches[0].clientX - box.left, top: 10 }, true, true);
      },
      { passive: true },
    );
    place.tabIndex = 0;
    place.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!way) return;
      event.preventDefault();
      chart.held = true;
      const from = plot.cursor.idx ?? plot.valToIdx(view.min);
      const at = Math.min(Math.max(from + way, 0), plot.data[0].length - 1);
      plot.setCursor({ left: plot.valToPos(plot.data[0][at], "x"), top: 10 }, true, true);
    });
    place.addEventListener("blur", () => {
      chart.held = false;
      follow(chart);
    });
    new ResizeObserver(() => {
      if (place.clientWidth && place.clientWidth !== plot.width) plot.setSize({ width: place.clientWidth, height });
    }).observe(place);
  }

  // ---- an alert, and the chart that it is about

  function zoomTo({ begin, end, rule }, host) {
    const [from, until] = [Number(begin), Number(end)];
    const room = Math.max(until - from, 60000);
    zoom(from - room, until + room);
    const shows = (figure) =>
      page.charts[Number(figure.dataset.chart)].alerts.some(
        (alert) => alert.name === rule && alert.begin === from && alert.end === until,
      );
    const figure = [...host.querySelectorAll("figure[data-chart]")].find(shows);
    if (figure) figure.scrollIntoView({ block: "center" });
  }

  for (const trigger of document.querySelectorAll(".alerts button")) {
    trigger.hidden = false;
    trigger.addEventListener("click", () => zoomTo(trigger.dataset, trigger.closest(".host")));
  }

  // ---- the page

  function draw(figure) {
    if (!charts.has(figure)) charts.set(figure, build(figure));
  }

  const figures = [...document.querySelectorAll("figure[data-chart]")];
  const near = new IntersectionObserver(
    (seen) => {
      for (const entry of seen) {
        if (!entry.isIntersecting) continue;
        near.unobserve(entry.target);
        draw(entry.target);
      }
    },
    { rootMargin: "600px" },
  );
  for (const figure of figures) near.observe(figure);

  const button = (name) => document.querySelector(`#controls [data-do="${name}"]`);
  const theme = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const actions = {
    back: () => move(-0.5),
    forth: () => move(0.5),
    closer: () => scale(0.5),
    wider: () => scale(2),
    reset: () => zoom(whole.min, whole.max),
    theme: () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : theme.matches;
      root.dataset.theme = dark ? "light" : "dark";
      repaint();
    },
  };
  for (const [name, action] of Object.entries(actions)) button(name).addEventListener("click", action);
  theme.addEventListener("change", repaint);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") zoom(whole.min, whole.max);
  });
  addEventListener("beforeprint", () => {
    figures.forEach(draw);
    for (const chart of charts.values()) chart.plot.setCursor({ left: -10, top: -10 });
    repaint();
  });
  matchMedia("print").addEventListener("change", repaint);
  document.getElementById("controls").hidden = false;
  zoom(whole.min, whole.max);
})();
