// How cells are drawn and numbers written. React escapes every text; nothing here makes HTML from data.
(function () {
  "use strict";
  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  const h = function () { return window.React.createElement.apply(null, arguments); };
  const percent = (value) => value.toFixed(2) + "%";
  const known = (value) => value !== null && value !== undefined;

  function signed(value, digits) {
    if (!known(value)) return "–";
    const text = Math.abs(value).toFixed(digits);
    return Number(text) === 0 ? text : (value > 0 ? "+" : "−") + text;
  }

  functions.pooltable = {
    signed: signed,
    fixed: (value, digits) => (known(value) ? value.toFixed(digits) : "–"),
    brief: (value) => (typeof value === "number" && !Number.isInteger(value) ? String(Number(value.toPrecision(6))) : value),
    whole: (value) => (known(value) ? Math.round(value).toLocaleString("en") : "–"),
    percent: (value) => (known(value) ? Math.round(100 * value) + " %" : "–"),
    // The same rule as `percent` in wording.py: only what is just 0 or 1 is said to be.
    chance: function (value) {
      if (!known(value)) return "–";
      if (value > 0 && value <= 0.005) return "<1 %";
      return value >= 0.995 && value < 1 ? ">99 %" : Math.floor(100 * value + 0.5) + " %";
    },
    day: function (value) {
      if (!value) return "–";
      const options = { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" };
      return new Date(value + "T00:00:00Z").toLocaleDateString("en-GB", options);
    },
    ranks: (row) => (known(row.rank_low) ? row.rank_low + "–" + row.rank_high : "–"),
    // Rows without the value stay below those with it, whichever way the column is sorted.
    nullsLast: function (a, b, _a, _b, isDescending) {
      if (known(a) && known(b)) return a - b;
      if (known(a) === known(b)) return 0;
      return known(a) === isDescending ? 1 : -1;
    },
  };

  // A place on a shared scale, as a percentage of the cell's width; 2 % is kept free at both ends.
  function placer(low, high) {
    return (value) => 2 + 96 * Math.min(1, Math.max(0, (value - low) / (high - low)));
  }

  function line(className, x1, x2, key) {
    return h("line", { key: key, className: className, x1: percent(x1), x2: percent(x2), y1: "50%", y2: "50%" });
  }

  function post(className, x, from, to, key) {
    return h("line", { key: key, className: className, x1: percent(x), x2: percent(x), y1: from, y2: to });
  }

  // A shape of fixed size at a percentage: paths cannot be placed in per cent, a nested svg can.
  function shape(className, x, path, key) {
    return h("svg", { key: key, x: percent(x), y: "50%", overflow: "visible" }, h("path", { className: className, d: path }));
  }

  function drawing(label, parts) {
    return h("svg", { className: "drawing", role: "img", "aria-label": label, width: "100%", height: "100%" }, parts);
  }

  cells.RatingBar = function (props) {
    const row = props.data, at = placer(props.low, props.high), parts = [];
    props.ticks.forEach((tick) => parts.push(post(tick === 0 ? "zero" : "rule", at(tick), 0, "100%", "t" + tick)));
    if (known(row.unpooled)) parts.push(line("joint", at(row.rating), at(row.unpooled), "joint"));
    parts.push(line("most", at(row.q5), at(row.q95), "most"), line("half", at(row.q25), at(row.q75), "half"));
    if (known(row.unpooled)) parts.push(alone(row.unpooled, props, at));
    if (known(row.truth)) parts.push(shape("true", at(row.truth), "M0,-6L5,0L0,6L-5,0Z", "true"));
    parts.push(post("mean", at(row.rating), "22%", "78%", "mean"));
    return drawing(described(row, props.digits), parts);
  };

  function alone(value, scale, at) {
    if (value > scale.high) return shape("beyond", at(value), "M-2,-4L3,0L-2,4", "alone");
    if (value < scale.low) return shape("beyond", at(value), "M2,-4L-3,0L2,4", "alone");
    return h("circle", { key: "alone", className: "alone", cx: percent(at(value)), cy: "50%", r: 4 });
  }

  function described(row, digits) {
    const words = [
      row.name + ": rating " + signed(row.rating, digits),
      "90 % interval " + signed(row.q5, digits) + " to " + signed(row.q95, digits),
      known(row.unpooled) ? "own results alone " + signed(row.unpooled, digits) : row.unpooled_reason || "",
      known(row.truth) ? "truth " + signed(row.truth, digits) : "",
    ];
    return words.filter(Boolean).join(", ");
  }

  cells.ScaleHeader = function (props) {
    const at = placer(props.low, props.high);
    const places = props.ticks.map((tick) =>
      h("span", { key: tick, style: { left: percent(at(tick)) } }, tick === 0 ? "0" : (tick > 0 ? "+" : "−") + Math.abs(tick)));
    return h("span", { className: "scale-header", title: props.displayName }, places);
  };

  cells.Light = function (props) {
    const marks = { pass: "✓", warn: "!", fail: "✕" };
    return h("span", { className: "light light-" + props.value },
      h("span", { className: "light-mark", "aria-hidden": "true" }, marks[props.value] || "?"), props.value);
  };

  cells.Explained = function (props) {
    return h("span", { className: "explained" }, h("strong", null, props.value), h("span", null, props.data.message));
  };

  cells.Replicated = function (props) {
    const row = props.data, room = 0.25 * (row.q95 - row.q5) || 1;
    const at = placer(Math.min(row.q5, row.observed) - room, Math.max(row.q95, row.observed) + room);
    const label = "observed " + row.observed_text + ", replicated " + row.q5.toPrecision(3) + " to " + row.q95.toPrecision(3);
    return drawing(label, [
      line("half", at(row.q5), at(row.q95), "half"),
      post("mean", at(row.replicated_mean), "28%", "72%", "mean"),
      h("circle", { key: "seen", className: "seen seen-" + row.status, cx: percent(at(row.observed)), cy: "50%", r: 5 }),
    ]);
  };

  cells.Residual = function (props) {
    const row = props.data, at = placer(-props.half, props.half);
    const label = "over the model by " + row.mean_text + ", 90 % interval " + row.reach_text;
    return drawing(label, [
      post("zero", at(0), 0, "100%", "zero"),
      line("most", at(row.z - 1.645), at(row.z + 1.645), "most"),
      h("circle", { key: "seen", className: "seen seen-" + row.status, cx: percent(at(row.z)), cy: "50%", r: 5 }),
    ]);
  };

  cells.Difference = function (props) {
    const row = props.data, at = placer(-props.half, props.half), reach = 1.645 * row.difference_se;
    const parts = [post("zero", at(0), 0, "100%", "zero")];
    if (row.difference_se) {
      parts.push(line("most", at(row.difference - reach), at(row.difference + reach), "most"));
      parts.push(h("circle", { key: "seen", className: "seen", cx: percent(at(row.difference)), cy: "50%", r: 5 }));
    }
    return drawing("difference " + signed(row.difference, 4) + ", standard error " + row.difference_se.toFixed(4), parts);
  };
})();
