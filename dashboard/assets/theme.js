// Light or dark: the reader's choice where there is one, else what the system prefers. Loaded before the first paint.
(function () {
  "use strict";
  const KEY = "pooltable-theme";
  const root = document.documentElement;

  function remembered() {
    try { return localStorage.getItem(KEY); } catch { return null; }
  }

  function remember(theme) {
    try { localStorage.setItem(KEY, theme); } catch { /* private windows may refuse; the page still switches */ }
  }

  function isDark() {
    const chosen = root.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  const saved = remembered();
  if (saved === "light" || saved === "dark") root.dataset.theme = saved;

  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-action=theme]")) {
      root.dataset.theme = isDark() ? "light" : "dark";
      remember(root.dataset.theme);
    }
    // A menu closes when something else is clicked, or one of its own links.
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      if (!menu.contains(event.target) || event.target.closest("a")) menu.open = false;
    });
  });

  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });
})();
