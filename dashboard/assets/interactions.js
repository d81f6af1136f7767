// What the leaderboard does without asking the server.
(function () {
  "use strict";
  const GRID = "leaderboard-grid";
  const NARROW = 700;
  const clientside = (window.dash_clientside = window.dash_clientside || {});

  // The same as search_key in the leaderboard page: small letters without accents.
  const searchKey = (text) => (text || "").normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  // Writes values into the page's address without loading anything, so that it can be shared as it stands.
  function writeAddress(values) {
    const address = new URL(window.location.href);
    Object.entries(values).forEach(function ([key, value]) {
      if (value) address.searchParams.set(key, value); else address.searchParams.delete(key);
    });
    window.history.replaceState(window.history.state, "", address);
  }

  function withGrid(act) {
    window.dash_ag_grid.getApiAsync(GRID).then(act);
  }

  function countShown(api) {
    const shown = api.getDisplayedRowCount(), all = api.getGridOption("rowData").length;
    clientside.set_props("leaderboard-shown", { children: shown.toLocaleString("en") + " of " + all.toLocaleString("en") });
  }

  function sortInAddress(api) {
    const sorted = api.getColumnState().find((column) => column.sort);
    writeAddress({ sort: sorted ? (sorted.colId === "bar" ? "rating" : sorted.colId) + "-" + sorted.sort : "" });
  }

  // Who sorts while the page is on its way with another filter finds it sorted as the address says by now.
  function sortAsAddressed(api) {
    const asked = /^(\w+)-(asc|desc)$/.exec(new URLSearchParams(window.location.search).get("sort") || "");
    const isSorted = asked && api.getColumnState().some((column) => column.sort === asked[2]);
    if (!asked || isSorted || !api.getColumn(asked[1])) return;
    api.applyColumnState({ state: [{ colId: asked[1], sort: asked[2] }], defaultState: { sort: null } });
  }

  // The bar takes the width that is left. On a phone it stands right after the name, the rest is to the right of it.
  function fit(api) {
    const isNarrow = window.innerWidth < NARROW;
    const width = document.getElementById(GRID).clientWidth - 2;
    if (isNarrow) {
      api.setColumnWidths([{ key: "rank", newWidth: 62 }, { key: "name", newWidth: 138 }]);
      api.moveColumns(["bar"], 2);
    }
    const beside = api.getAllDisplayedColumns().filter((column) => column.getColId() !== "bar" && (!isNarrow || column.isPinned()));
    const left = width - beside.reduce((sum, column) => sum + column.getActualWidth(), 0);
    api.setColumnWidths([{ key: "bar", newWidth: Math.max(left, isNarrow ? 160 : 300) }]);
  }

  // The figures of the next page need Plotly, which is large: fetch it while nobody waits.
  function prefetch() {
    if (document.querySelector("link[rel=prefetch]")) return;
    const link = document.createElement("link");
    link.rel = "prefetch";
    link.href = "/_dash-component-suites/plotly/package_data/plotly.min.js";
    document.head.append(link);
  }

  // A cell that a spreadsheet would run as a formula is made text again by a leading apostrophe.
  function csvCell(value) {
    if (value === null || value === undefined) return "";
    if (Array.isArray(value)) return value.join(" ");
    if (typeof value !== "string") return String(value);
    const safe = /^[=+\-@\t\r]/.test(value) ? "'" + value : value;
    return /[",\r\n]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
  }

  function csv(rows) {
    if (!rows.length) return "";
    const columns = Object.keys(rows[0]).filter((name) => name !== "key");
    const lines = [columns].concat(rows.map((row) => columns.map((name) => row[name])));
    return lines.map((line) => line.map(csvCell).join(",")).join("\r\n") + "\r\n";
  }

  function save(text, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // What was searched, sorted and shown is in the address, not in links that the server wrote before.
  document.addEventListener("click", function (event) {
    const link = event.target.closest("[data-keeps] a");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const wanted = new URL(link.href), now = new URL(window.location.href).searchParams;
    ["q", "show", "sort"].forEach((name) => (now.get(name) ? wanted.searchParams.set(name, now.get(name)) : wanted.searchParams.delete(name)));
    event.preventDefault();
    event.stopPropagation();
    window.history.pushState({}, "", wanted);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  }, true);

  // On a phone tabs are wider than the window: the one that is open is brought into it. Where it is asks for a layout of
  // the page, so not before there is one anyway.
  const shownOf = new WeakMap();
  let isAwaited = false;
  function bringTabs() {
    isAwaited = false;
    document.querySelectorAll(".tabs > .tab.active").forEach(function (tab) {
      if (shownOf.get(tab.parentElement) === tab) return;
      shownOf.set(tab.parentElement, tab);
      tab.parentElement.scrollLeft += tab.getBoundingClientRect().left - 16;
    });
  }
  new MutationObserver(function () {
    if (!isAwaited) requestAnimationFrame(bringTabs);
    isAwaited = true;
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["class"] });

  clientside.pooltable_leaderboard = {
    filter: function (search, show) {
      const isAll = (show || []).includes("all");
      if (isAll && document.querySelector(".toolbar[data-partial=true]")) {
        writeAddress({ show: "all" });  // the others were not sent: the page of the address has them
        window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
        return clientside.no_update;
      }
      writeAddress({ q: search, show: isAll ? "all" : "" });
      const model = isAll ? {} : { status: { filterType: "text", type: "equals", filter: "ranked" } };
      if (search) model.key = { filterType: "text", type: "contains", filter: searchKey(search) };
      return model;
    },
    wire: function () {
      withGrid(function (api) {
        api.addEventListener("modelUpdated", () => countShown(api));
        api.addEventListener("sortChanged", () => sortInAddress(api));
        api.addEventListener("gridSizeChanged", () => fit(api));
        document.getElementById("leaderboard-show").setAttribute("aria-label", "Who is shown"); // Dash gives it no name
        sortAsAddressed(api);
        fit(api);
        countShown(api);
        (window.requestIdleCallback || setTimeout)(prefetch);
      });
      return clientside.no_update;
    },
    download: function (clicks, name) {
      if (!clicks) return clientside.no_update;
      withGrid(function (api) {
        const rows = [];
        api.forEachNodeAfterFilterAndSort((node) => rows.push(node.data));
        save(csv(rows), name);
      });
      return clientside.no_update;
    },
  };
})();
