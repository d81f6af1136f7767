// Cells of forecasts: chances as the parts of a bar, points at the end of a season. As in cells.js, nothing here makes HTML.
(function () {
  "use strict";
  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const h = function () { return window.React.createElement.apply(null, arguments); };
  const percent = (value) => value.toFixed(2) + "%";
  const whole = (value) => Math.round(100 * value) + " %";

  function drawing(label, parts) {
    return h("svg", { className: "drawing", role: "img", "aria-label": label, width: "100%", height: "100%" }, parts);
  }

  function part(className, from, to) {
    const size = { x: percent(100 * from), width: percent(Math.max(0, 100 * (to - from))), y: "28%", height: "44%" };
    return h("rect", { key: className, className: className, ...size });
  }

  cells.Chances = function (props) {
    const row = props.data, drawn = row.win + row.draw;
    const label = "first " + whole(row.win) + (row.draw ? ", draw " + whole(row.draw) : "") + ", second " + whole(row.loss) +
      "; the first between " + whole(row.win_low) + " and " + whole(row.win_high);
    const reach = { x1: percent(100 * row.win_low), x2: percent(100 * row.win_high), y1: "50%", y2: "50%" };
    return drawing(label, [
      part("share-first", 0, row.win), part("share-draw", row.win, drawn), part("share-second", drawn, 1),
      h("line", { key: "reach", className: "reach", ...reach }),
    ]);
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
