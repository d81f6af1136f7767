// Saves a figure as PNG or SVG with its title, what it is of and where it comes from written into the picture.
(function () {
  "use strict";
  const TOP = 80, LEAST = 480;
  // Plotly reads some HTML in texts: names are only text.
  const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  // The figure as it is on screen, in the light colours it was made with, with room above for the words.
  function withWords(drawn, said) {
    const layout = { ...drawn.layout }, margin = { t: 36, ...layout.margin };
    const words = "<b>" + plain(said.title) + "</b><br><span style='font-size:12px'>" + plain(said.about) + "<br>" + plain(said.source) + "</span>";
    layout.title = { text: words, x: 0, xref: "container", xanchor: "left", y: 1, yref: "container", yanchor: "top",
      automargin: false, pad: { t: 24, l: 16 }, font: { size: 17 } };
    layout.margin = { ...margin, t: margin.t + TOP };
    delete layout.width;
    delete layout.height;
    delete layout.autosize;
    return { data: drawn.data, layout: layout };
  }

  async function save(button) {
    const drawn = button.closest(".panel").querySelector(".js-plotly-plot");
    if (!drawn || !window.Plotly) return;
    const size = { width: Math.max(LEAST, drawn.clientWidth), height: drawn.clientHeight + TOP };
    const { picture, name } = button.dataset;
    await window.Plotly.downloadImage(withWords(drawn, button.dataset), { format: picture, filename: name, scale: picture === "png" ? 2 : 1, ...size });
  }

  document.addEventListener("click", function (event) {
    const button = event.target.closest("[data-picture]");
    if (button) save(button);
  });
})();
