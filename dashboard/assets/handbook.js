// Headings of the handbook get the ids that its links name, as they have where the repository is read; the one that the
// address names is brought into sight once it is drawn.
(function () {
  "use strict";
  const clientside = (window.dash_clientside = window.dash_clientside || {});

  function slug(words) {
    return words.trim().toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
  }

  function nameHeadings(page) {
    page.querySelectorAll(".markdown :is(h2, h3)").forEach((heading) => { heading.id = slug(heading.textContent); });
    // What is wider than the window scrolls, by keyboard too.
    page.querySelectorAll(".markdown :is(pre, table)").forEach(function (wide) {
      if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
    });
  }

  function bring(page) {
    const named = window.location.hash && document.getElementById(decodeURIComponent(window.location.hash.slice(1)));
    if (named && page.contains(named)) named.scrollIntoView();
    return Boolean(named);
  }

  clientside.pooltable_handbook = {
    wire: function () {
      const page = document.getElementById("handbook");
      const seen = new MutationObserver(function () {
        nameHeadings(page);
        if (!page.querySelector(".markdown h2, .markdown p")) return;
        bring(page);
        seen.disconnect();
      });
      seen.observe(page, { childList: true, subtree: true });
      nameHeadings(page);
      bring(page);
      return clientside.no_update;
    },
  };
})();
