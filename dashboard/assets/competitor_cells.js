// Cells about competitors: names that lead to their pages, and how far a result was from what was expected.
(function () {
  "use strict";
  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const h = function () { return window.React.createElement.apply(null, arguments); };
  const percent = (value) => value.toFixed(2) + "%";

  // Goes to a page of ours as Dash's own links do, without loading everything again.
  function go(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    window.history.pushState({}, "", event.currentTarget.href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  }

  cells.CompetitorLink = function (props) {
    const id = props.data[props.who];
    if (!id || !props.value) return props.value || "–";
    const query = new URLSearchParams({ league: props.league || props.data.league, competitor: id });
    return h("a", { className: "cell-link", href: "/competitor?" + query, onClick: go }, props.value);
  };

  // Places gained or lost, where it is probable that it truly moved.
  cells.Moved = function (props) {
    const places = props.value, chance = props.data.p_moved;
    if (!places || chance === null || chance === undefined || chance < 0.9) return null;
    const words = (places > 0 ? "up " : "down ") + Math.abs(places) + ", truly so with " + window.dashAgGridFunctions.pooltable.chance(chance);
    return h("span", { className: places > 0 ? "moved-up" : "moved-down", title: words, "aria-label": words },
      (places > 0 ? "▲ " : "▼ ") + Math.abs(places));
  };

  cells.Sparkline = function (props) {
    const values = props.value || [];
    if (values.length < 2) return null;
    const low = Math.min(...values), span = Math.max(...values) - low || 1;
    const points = values.map((value, k) => (100 * k / (values.length - 1)).toFixed(1) + "," + (26 - 22 * (value - low) / span).toFixed(1));
    const words = "from " + values[0].toFixed(2) + " to " + values[values.length - 1].toFixed(2);
    return h("svg", { className: "drawing", role: "img", "aria-label": words, width: "100%", height: "100%", viewBox: "-4 0 108 30", preserveAspectRatio: "none" },
      h("polyline", { className: "path", points: points.join(" ") }));
  };

  cells.Surprise = function (props) {
    const value = props.value;
    if (value === null || value === undefined) return null;
    const length = 48 * Math.min(1, Math.abs(value) / 3), isMore = value > 0;
    const words = Math.abs(value).toFixed(1) + " standard deviations " + (isMore ? "better" : "worse") + " than expected";
    return h("svg", { className: "drawing", role: "img", "aria-label": words, width: "100%", height: "100%" }, [
      h("rect", { key: "bar", className: isMore ? "more" : "less", x: percent(isMore ? 50 : 50 - length), width: percent(length), y: "30%", height: "40%" }),
      h("line", { key: "zero", className: "zero", x1: "50%", x2: "50%", y1: 0, y2: "100%" }),
    ]);
  };
})();
