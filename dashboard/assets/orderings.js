// Reshuffle: the table in one joint posterior draw at a time; numbers that narrow the leaderboard or say k of P(top k).
(function () {
  "use strict";
  const HEIGHT = 36;
  const clientside = (window.dash_clientside = window.dash_clientside || {});

  function signed(value, digits) {
    const text = Math.abs(value).toFixed(digits);
    return Number(text) === 0 ? text : (value > 0 ? "+" : "−") + text;
  }

  clientside.pooltable_orderings = {
    // The rows are moved and rewritten in place: React drew them once and leaves them alone.
    reshuffle: function (clicks, held) {
      const rows = [...document.querySelectorAll("#shuffle-list .shuffle-row")];
      if (!clicks || !rows.length) return clientside.no_update;
      const draw = Math.floor(Math.random() * held.draws[0].length);
      const places = rows.map((_, row) => row).sort((a, b) => held.draws[b][draw] - held.draws[a][draw]);
      places.forEach(function (row, place) {
        const element = rows[row], moved = row - place;
        element.style.transform = "translateY(" + HEIGHT * place + "px)";
        element.querySelector(".shuffle-rank").textContent = held.ranks[row][draw];
        element.querySelector(".shuffle-value").textContent = signed(held.draws[row][draw], held.digits);
        element.classList.toggle("up", moved > 2);
        element.classList.toggle("down", moved < -2);
      });
      return "draw " + (draw + 1) + " of " + held.draws[0].length + "; first of those shown: " +
        rows[places[0]].querySelector(".shuffle-name").textContent;
    },
    places: (k) => number("k", k),
    games: (least) => number("games", least),
  };

  // A whole number goes into the address under its name, and the leaderboard of that address is shown.
  function number(name, value) {
    const address = new URL(window.location.href), before = address.searchParams.get(name) || "";
    const wanted = value ? String(Math.round(value)) : "";
    if (address.pathname !== "/leaderboard" && address.pathname !== "/" || wanted === before) return clientside.no_update;
    if (wanted) address.searchParams.set(name, wanted); else address.searchParams.delete(name);
    window.history.pushState({}, "", address);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    return clientside.no_update;
  }

  // Somebody who left a page open is told when there are new ratings; the page itself stays as it is.
  const EVERY = 60000;
  async function look() {
    const shown = document.querySelector("[data-edition]");
    if (!shown || document.hidden || document.getElementById("new-edition")) return;
    try {
      const answer = await fetch("/edition", { cache: "no-cache" });
      if (answer.ok && (await answer.text()).trim() !== shown.dataset.edition) tell(shown);
    } catch { /* not reachable now; asked again in a minute */ }
  }
  function tell(beside) {
    const said = document.createElement("button");
    said.id = "new-edition";
    said.className = "button new-edition";
    said.textContent = "New ratings: reload";
    said.addEventListener("click", () => window.location.reload());
    document.body.append(said);
    beside.setAttribute("aria-live", "polite");
  }
  setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);
})();
