// The choice of competitors to compare goes into the address, and the page of that address is shown.
(function () {
  "use strict";
  const clientside = (window.dash_clientside = window.dash_clientside || {});
  const PLACES = ["a", "b", "c", "d", "e", "f"];

  clientside.pooltable_compare = {
    choose: function (chosen) {
      const address = new URL(window.location.href);
      if (address.pathname !== "/compare") return clientside.no_update;
      if ((chosen || []).length > PLACES.length) {
        clientside.set_props("compare-who", { value: chosen.slice(0, PLACES.length) });
        clientside.set_props("compare-said", { children: "Six at most: take one out first." });
        return clientside.no_update;
      }
      const before = PLACES.map((place) => address.searchParams.get(place)).filter(Boolean);
      const wanted = chosen || [];
      if (wanted.join("\n") === before.join("\n")) return clientside.no_update;
      PLACES.forEach((place, k) => wanted[k] ? address.searchParams.set(place, wanted[k]) : address.searchParams.delete(place));
      window.history.pushState({}, "", address);
      window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
      return clientside.no_update;
    },
  };
})();
