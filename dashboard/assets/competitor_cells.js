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
    const query = new URLSearchParams({ league: props.league, competitor: id });
    return h("a", { className: "cell-link", href: "/competitor?" + query, onClick: go }, props.value);
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
