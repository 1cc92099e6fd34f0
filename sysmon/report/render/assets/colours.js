// The colours of the style sheet, for what is drawn; they are others when the theme changes.
function colours() {
  "use strict";

  let inks = new Map();

  function ink(name) {
    if (!inks.has(name)) inks.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
    return inks.get(name);
  }

  function faded(color, alpha) {
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
    return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
  }

  return {
    ink,
    faded,
    lineInk: (index) => ink(`--c${index % 10}`),
    dash: (index) => (index < 10 ? [] : [6, 3]),
    forget: () => {
      inks = new Map();
    },
  };
}
