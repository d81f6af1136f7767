// Printing: tables that scroll are opened, so that paper has every row of them, and closed again after it. Columns to the
// right of what is in sight stay away: paper is not that wide.
(function () {
  "use strict";
  const MOST = 500; // rows: of a longer table paper has what is in sight, and says so
  let opened = [];

  // The frames of tables that scroll, with the handles of their tables.
  function framed() {
    const frames = [...document.querySelectorAll(".grid-frame:not(.one-page)")];
    return frames.map((frame) => [frame, window.dash_ag_grid.getApi(frame.querySelector(".grid").id)]).filter(([, api]) => api);
  }

  // The browser takes the page as soon as this returns, so React must have drawn the rows by then.
  function open() {
    opened = framed().filter(([, api]) => api.getDisplayedRowCount() <= MOST);
    opened.forEach(function (one) {
      const [frame, api] = one, drawn = api.getAllDisplayedVirtualColumns();
      one.push(api.getAllDisplayedColumns().filter((column) => !drawn.includes(column)));
      frame.classList.add("opened");
      frame.classList.toggle("narrowed", one[2].length > 0);
      window.ReactDOM.flushSync(function () {
        api.setColumnsVisible(one[2], false);
        api.setGridOption("domLayout", "print");
      });
    });
  }

  function close() {
    opened.forEach(function ([frame, api, hidden]) {
      frame.classList.remove("opened", "narrowed");
      api.setGridOption("domLayout", "normal");
      api.setColumnsVisible(hidden, true);
    });
    opened = [];
  }

  window.addEventListener("beforeprint", open);
  window.addEventListener("afterprint", close);
})();
