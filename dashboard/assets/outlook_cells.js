// Cells of forecasts: chances as the parts of a bar, points at the end of a season. As in cells.js, nothing here makes HTML.
(function () {
  "use strict";
  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const h = function () { return window.React.createElement.apply(null, arguments); };
  const percent = (value) => value.toFixed(2) + "%";
  const NARROW = 700;
  const chance = (value) => window.dashAgGridFunctions.pooltable.chance(value);
  // A place that no simulated season brought is left empty, so that the others are seen; one that all did is certain.
  (window.dashAgGridFunctions = window.dashAgGridFunctions || {}).odds = (value) => (value === 0 ? "" : chance(value));

  // On a phone both sides and the bar of their chances fill the width of the table of games; the rest is to the right.
  function onPhone(api) {
    const bar = 128, side = (document.getElementById("forecasts").clientWidth - 2 - bar) / 2;
    const widths = { first: side, second: side, win_low: bar }, ahead = Object.keys(widths);
    const place = (one) => ahead.includes(one.field) ? ahead.indexOf(one.field) : ahead.length;
    const defs = api.getColumnDefs().map((one) => one.field in widths ? { ...one, flex: null, minWidth: 0, width: widths[one.field] } : one);
    api.setGridOption("columnDefs", defs.sort((one, other) => place(one) - place(other)));
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.pooltable_forecasts = {
    wire: function () {
      if (window.innerWidth < NARROW) window.dash_ag_grid.getApiAsync("forecasts").then(onPhone);
      return clientside.no_update;
    },
  };

  function drawing(label, parts) {
    return h("svg", { className: "drawing", role: "img", "aria-label": label, width: "100%", height: "100%" }, parts);
  }

  function part(className, from, to) {
    const size = { x: percent(100 * from), width: percent(Math.max(0, 100 * (to - from))), y: "28%", height: "44%" };
    return h("rect", { key: className, className: className, ...size });
  }

  cells.Chances = function (props) {
    const row = props.data, drawn = row.win + row.draw;
    const label = "first " + chance(row.win) + (row.draw ? ", draw " + chance(row.draw) : "") + ", second " + chance(row.loss) +
      "; the first between " + chance(row.win_low) + " and " + chance(row.win_high);
    const reach = { x1: percent(100 * row.win_low), x2: percent(100 * row.win_high), y1: "50%", y2: "50%" };
    return drawing(label, [
      part("share-first", 0, row.win), part("share-draw", row.win, drawn), part("share-second", drawn, 1),
      h("line", { key: "reach", className: "reach", ...reach }),
    ]);
  };

  // A chance that can be chosen: the address with that result given, or without it where it is.
  cells.WhatIf = function (props) {
    const row = props.data, result = props.column.getColId();
    if (!row.is_open) return props.valueFormatted;
    const address = new URL(window.location.href), given = (address.searchParams.get("given") || "").split(";");
    const others = given.filter((pair) => pair && !pair.startsWith(row.game_id + "="));
    const isGiven = row.given === result;
    const all = isGiven ? others : others.concat(row.game_id + "=" + result);
    address.searchParams.delete("without");
    if (all.length) address.searchParams.set("given", all.join(";")); else address.searchParams.delete("given");
    const follow = function (event) {
      if (event.metaKey || event.shiftKey || event.altKey || event.ctrlKey) return;
      event.preventDefault();
      window.history.pushState({}, "", address);
      window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));  // as dcc.Link does
      window.scrollTo(0, 0);
    };
    const title = isGiven ? "Take this result back" : "What if it ends so?";
    return h("a", { href: address.href, title: title, className: isGiven ? "choice chosen" : "choice", "aria-current": isGiven, onClick: follow }, props.valueFormatted);
  };

  cells.PointsBar = function (props) {
    const row = props.data, span = props.high - props.low || 1;
    const at = (value) => percent(2 + 96 * (value - props.low) / span);
    const label = "expected " + row.expected_points.toFixed(1) + " points, 90 % between " + row.points_q5 + " and " + row.points_q95;
    const flat = { y1: "50%", y2: "50%" };
    return drawing(label, [
      h("line", { key: "most", className: "most", x1: at(row.points_q5), x2: at(row.points_q95), ...flat }),
      h("line", { key: "half", className: "half", x1: at(row.points_q25), x2: at(row.points_q75), ...flat }),
      h("line", { key: "mean", className: "mean", x1: at(row.expected_points), x2: at(row.expected_points), y1: "22%", y2: "78%" }),
    ]);
  };
})();
