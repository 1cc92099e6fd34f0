// Numbers as the page holds them, numbers and times as its tables write them, and the labels of the axis of time.
function texts(page) {
  "use strict";

  function scaled(value, base, prefixes) {
    let rest = value;
    let prefix = prefixes[0];
    for (prefix of prefixes) {
      if (Math.abs(rest) < base - 0.5 || prefix === prefixes[prefixes.length - 1]) break;
      rest /= base;
    }
    let digits = Math.abs(rest) >= 99.95 || (prefix === "" && Number.isInteger(rest)) ? 0 : 1;
    if (prefix === "" && Math.abs(rest) > 0 && Math.abs(rest) < 10 && digits) digits = 2;
    return [rest.toFixed(digits), prefix];
  }

  function amount(value, unit) {
    if (unit === "bytes") return scaled(value, 1024, ["", "Ki", "Mi", "Gi", "Ti", "Pi"]);
    if (unit === "seconds" && value !== 0 && Math.abs(value) < 1) return scaled(value * 1000, 1000, ["", "k"]);
    return scaled(value, 1000, ["", "k", "M", "G", "T", "P"]);
  }

  function ending(value, unit) {
    if (unit === "bytes") return "B";
    if (unit === "bytes/s") return "B/s";
    if (unit === "percent") return "%";
    if (unit === "seconds") return value !== 0 && Math.abs(value) < 1 ? "ms" : "s";
    if (unit === "ms") return "ms";
    return unit.endsWith("/s") ? "/s" : "";
  }

  function human(value, unit) {
    if (value === null || value === undefined) return "-";
    if (unit === "percent") return `${value.toFixed(1)} %`;
    const [number, prefix] = amount(value, unit);
    return `${number} ${prefix}${ending(value, unit)}`.trim();
  }

  function tick(value, unit) {
    const [number, prefix] = amount(value, unit);
    const bare = number.includes(".") ? number.replace(/\.?0+$/, "") : number;
    return bare + prefix + (unit === "seconds" || unit === "percent" ? ending(value, unit) : "");
  }

  function offset(at) {
    let ahead = page.offsets[0][1];
    for (const [since, seconds] of page.offsets) if (at >= since) ahead = seconds;
    return 1000 * ahead;
  }

  const two = (number) => String(number).padStart(2, "0");

  function clock(at, seconds) {
    const local = new Date(at + offset(at));
    const minutes = `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}`;
    return seconds ? `${minutes}:${two(local.getUTCSeconds())}` : minutes;
  }

  function day(at) {
    const local = new Date(at + offset(at));
    return `${two(local.getUTCMonth() + 1)}-${two(local.getUTCDate())}`;
  }

  const oneDay = day(page.begin) === day(page.end - 1);

  function span(from, until) {
    const seconds = until - from < 120000 && (from % 60000 !== 0 || until % 60000 !== 0);
    const unit = seconds ? 1000 : 60000;
    const [first, last] = [from, until].map((at) => Math.round(at / unit) * unit);
    const begin = `${oneDay ? "" : `${day(first)} `}${clock(first, seconds)}`;
    return `${begin} – ${day(last - 1) === day(first) ? "" : `${day(last)} `}${clock(last, seconds)}`;
  }

  // ---- the axis of time

  const minute = 60000;
  const hour = 60 * minute;
  const steps = [
    1000, 2000, 5000, 10000, 15000, 30000,
    ...[1, 2, 5, 10, 15, 30].map((length) => length * minute),
    ...[1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 96, 168, 336, 672].map((length) => length * hour),
  ];

  function timeStep(chart, min, max) {
    const room = Math.max(1, chart.bbox.width / devicePixelRatio / 72);
    return steps.find((step) => (max - min) / step <= room) || steps[steps.length - 1];
  }

  function timeSplits(chart, axis, min, max) {
    const step = timeStep(chart, min, max);
    const splits = [];
    let at = Math.ceil((min + offset(min)) / step) * step - offset(min);
    for (; at <= max; at += step) splits.push(at);
    return splits;
  }

  function timeTexts(chart, splits) {
    const step = timeStep(chart, chart.scales.x.min, chart.scales.x.max);
    return splits.map((at) => {
      if (step >= 24 * hour) return day(at);
      const text = clock(at, step < minute);
      return text === "00:00" && !oneDay ? day(at) : text;
    });
  }

  const numbers = (text) => text.split(",").map((number) => (number === "" ? null : Number(number)));

  function findGaps(xs, lines, length) {
    const gaps = [];
    xs.forEach((at, index) => {
      if (lines.some((line) => line.means[index] !== null)) return;
      const last = gaps[gaps.length - 1];
      if (last && last[1] === index) last[1] = index + 1;
      else gaps.push([index, index + 1]);
    });
    return gaps.map(([from, until]) => [xs[from] - length / 2, xs[until - 1] + length / 2]);
  }

  return { numbers, findGaps, human, tick, span, timeSplits, timeTexts };
}
