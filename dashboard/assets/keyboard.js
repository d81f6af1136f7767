// Tables by keyboard: arrow keys move among cells, Enter follows a cell's link, Tab leaves the table for what is after it.
(function () {
  "use strict";
  const CONTROLS = "a[href], button, input, select, textarea, summary, [tabindex='0']";

  function isReached(one) {
    return one.tabIndex >= 0 && !one.disabled && !one.closest("[aria-hidden=true]") && one.checkVisibility({ visibilityProperty: true });
  }

  // The nearest control outside of the table, after it or before it.
  function beside(table, isBefore) {
    const side = isBefore ? Node.DOCUMENT_POSITION_PRECEDING : Node.DOCUMENT_POSITION_FOLLOWING;
    const found = [...document.querySelectorAll(CONTROLS)].filter((one) =>
      !table.contains(one) && table.compareDocumentPosition(one) & side && isReached(one));
    return isBefore ? found[found.length - 1] : found[0];
  }

  document.addEventListener("keydown", function (event) {
    const cell = event.target.closest && event.target.closest(".ag-cell");
    if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && event.target === cell) {
      const link = cell.querySelector("a");
      if (link) link.click();
    } else if (event.key === "Tab") {
      const next = beside(cell.closest(".ag-root-wrapper"), event.shiftKey);
      if (!next) return;
      event.preventDefault();
      event.stopPropagation();
      next.focus();
    }
  }, true);
})();
