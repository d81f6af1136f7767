// The SQL console: runs the query over the API, offers names, remembers what was asked, draws an answer.
// Everything from the edition or the reader is written as text, never as HTML.
(function () {
  "use strict";
  const clientside = (window.dash_clientside = window.dash_clientside || {});
  const KEY = "pooltable-sql", KEPT = 30, ROWS = 2000, PAGE = 100;
  const WORDS = ["SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "LIMIT", "JOIN", "USING", "HAVING", "QUALIFY", "count(*)", "avg", "NULLS LAST"];
  const byId = (id) => document.getElementById(id);
  let names = [], values = {}, about = {}, league = "", answer = null, offered = [], chosen = 0;

  function element(tag, text, className, attributes) {
    const made = document.createElement(tag);
    if (text !== null && text !== undefined) made.textContent = text;
    if (className) made.className = className;
    Object.entries(attributes || {}).forEach(([name, value]) => made.setAttribute(name, value));
    return made;
  }

  // The text of the editor, and a change of it that React knows of.
  const sql = () => byId("sql-text").value;
  function write(text, caret) {
    const area = byId("sql-text");
    clientside.set_props("sql-text", { value: text });
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(area, text);
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
    if (caret !== undefined) area.setSelectionRange(caret, caret);
  }

  // Parameters of the query: $league is the page's, others have a field each.
  function parameters() {
    const found = new Set([...sql().matchAll(/\$([A-Za-z_]\w*)/g)].map((match) => match[1]));
    found.delete("league");
    return [...found];
  }

  function showValues() {
    const place = byId("sql-values"), wanted = parameters();
    if (wanted.join() === [...place.children].map((child) => child.dataset.name).join()) return;
    place.replaceChildren(...wanted.map(function (name) {
      const label = element("label", "$" + name + " ", "places", { "data-name": name });
      const field = element("input", null, "", { "aria-label": "Value of " + name });
      field.value = values[name] || "";
      field.addEventListener("input", function () { values[name] = field.value; linkFiles(); });
      label.append(field);
      return label;
    }));
  }

  function given() {
    const found = Object.fromEntries(parameters().map((name) => [name, values[name] || ""]));
    return /\$league\b/.test(sql()) ? { league: league, ...found } : found;
  }

  // The query in an address, for files and for sharing; one that is run goes in a body, of any length.
  const asked = (more) => new URLSearchParams({ sql: sql(), ...given(), ...more });
  const question = () => JSON.stringify({ sql: sql(), params: given() });

  function linkFiles() {
    ["csv", "json", "parquet"].forEach((form) => { byId("sql-" + form).href = "/api/sql?" + asked({ _format: form }); });
  }

  function remembered() {
    try { return JSON.parse(localStorage.getItem(KEY)) || []; } catch { return []; }
  }

  function remember(text) {
    const kept = [text, ...remembered().filter((one) => one !== text)].slice(0, KEPT);
    try { localStorage.setItem(KEY, JSON.stringify(kept)); } catch { /* private windows may refuse */ }
    showHistory();
  }

  function showHistory() {
    const items = remembered().map(function (text) {
      const item = element("li"), button = element("button", text.replace(/\s+/g, " ").slice(0, 90), "as-link", { title: text });
      button.addEventListener("click", () => write(text, text.length));
      item.append(button);
      return item;
    });
    byId("sql-history").replaceChildren(...(items.length ? items : [element("li", "Nothing yet.", "quiet")]));
  }

  // Tables with their columns, then macros: a click puts the name into the query.
  function showSchema(rows) {
    const tables = new Map();
    rows.forEach(function ([object, name, column, type, comment]) {
      if (!tables.has(name)) tables.set(name, { object, name, comment: "", columns: [], type });
      if (column) tables.get(name).columns.push([column, type, comment]); else Object.assign(tables.get(name), { comment, type });
    });
    byId("sql-schema").replaceChildren(...[...tables.values()].map(function (table) {
      const part = element("details"), isMacro = table.object === "macro";
      part.append(element("summary", table.name + (isMacro ? table.type : ""), isMacro ? "macro" : ""), element("p", table.comment, "quiet"));
      const list = element("ul");
      table.columns.forEach(function ([column, type, comment]) {
        const item = element("li"), button = element("button", column, "as-link", { title: comment || "" });
        button.addEventListener("click", () => insert(column));
        item.append(button, element("span", " " + type.toLowerCase(), "quiet"));
        list.append(item);
      });
      if (!isMacro) part.append(fromButton("FROM " + table.name + (table.columns.some(([name]) => name === "league") ? " WHERE league = $league" : "") + " LIMIT 100"));
      const example = /Example: (.*)$/.exec(table.comment || "");
      if (isMacro && example) part.append(fromButton(example[1]));
      part.append(list);
      return part;
    }));
  }

  function fromButton(text) {
    const button = element("button", "Ask: " + text, "as-link");
    button.addEventListener("click", function () { write(text, text.length); run(); });
    return button;
  }

  function insert(text) {
    const area = byId("sql-text"), at = area.selectionStart;
    write(area.value.slice(0, at) + text + area.value.slice(area.selectionEnd), at + text.length);
  }

  function wordBefore() {
    const area = byId("sql-text");
    return /[A-Za-z_]\w*$/.exec(area.value.slice(0, area.selectionStart))?.[0] || "";
  }

  function offer() {
    const word = wordBefore().toLowerCase();
    offered = word.length < 2 ? [] : names.filter((name) => name.toLowerCase().startsWith(word) && name.toLowerCase() !== word).slice(0, 8);
    chosen = 0;
    showOffered();
  }

  function showOffered() {
    const list = byId("sql-names");
    list.classList.toggle("hidden", !offered.length);
    list.replaceChildren(...offered.map(function (name, k) {
      const item = element("li", name, k === chosen ? "chosen" : "", { role: "option", "aria-selected": String(k === chosen) });
      item.addEventListener("mousedown", function (event) { event.preventDefault(); chosen = k; take(); });
      return item;
    }));
  }

  function take() {
    const area = byId("sql-text"), word = wordBefore(), name = offered[chosen], at = area.selectionStart;
    offered = [];
    showOffered();
    write(area.value.slice(0, at - word.length) + name + area.value.slice(at), at - word.length + name.length);
    offered = [];
    showOffered();
  }

  function pressed(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); run(); return; }
    if (!offered.length) return;
    if (event.key === "Escape") offered = [];
    else if (event.key === "ArrowDown") chosen = (chosen + 1) % offered.length;
    else if (event.key === "ArrowUp") chosen = (chosen + offered.length - 1) % offered.length;
    else if (event.key === "Tab") { event.preventDefault(); take(); return; }
    else return;
    event.preventDefault();
    showOffered();
  }

  function said(text) { byId("sql-said").textContent = text; }

  function failed(told) {
    const box = byId("sql-error");
    box.classList.toggle("hidden", !told);
    box.textContent = told ? [told.error, told.caret, told.hint].filter(Boolean).join("\n\n") : "";
  }

  // Rows of the question before would look like the answer to this one.
  function fail(told) {
    if (!byId("sql-text")) return;
    said("");
    failed(told);
    answer = null;
    show({ columns: [], rows: [] });
  }

  async function run() {
    const started = performance.now(), text = sql();
    said("Asking …");
    failed(null);
    let response, told;
    try {
      response = await fetch("/api/sql?_limit=" + ROWS, { method: "POST", headers: { "Content-Type": "application/json" }, body: question() });
      told = await response.json();
    } catch {
      fail({ error: response ? "The server answered " + response.status + "." : "The server cannot be reached." });
      return;
    }
    if (!byId("sql-text")) return;
    if (!response.ok) { fail(told); return; }
    answer = told;
    show(told);
    const more = told.next ? " (the first of more: the files hold all)" : "";
    const count = told.rows.length.toLocaleString("en") + (told.rows.length === 1 ? " row" : " rows");
    said(count + more + " in " + ((performance.now() - started) / 1000).toFixed(2) + " s, " + told.edition);
    remember(text);
    const address = new URL(window.location.href);
    address.search = asked({ league });
    window.history.replaceState(window.history.state, "", address);
  }

  function show(told) {
    const rows = told.rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) =>
      [name, value !== null && typeof value === "object" ? JSON.stringify(value) : value])));
    const isNumber = (name) => rows.some((row) => typeof row[name] === "number");
    const columns = told.columns.map((name) => ({ field: name, headerName: name, cellDataType: false,
      valueFormatter: { function: "pooltable.brief(params.value)" }, type: isNumber(name) ? "rightAligned" : undefined, cellClass: isNumber(name) ? "number" : undefined }));
    clientside.set_props("sql-grid", { columnDefs: columns, rowData: rows });
    byId("sql-axes").classList.add("hidden");
    document.querySelector(".query .grid-frame").classList.toggle("one-page", rows.length <= PAGE);
    clientside.set_props("sql-plot", { children: null });
    linkFiles();
  }

  function choice(label, columns, picked) {
    const holder = element("label", label + " ", "places"), select = element("select");
    columns.forEach((name) => select.append(element("option", name, "", { value: name })));
    select.value = picked;
    select.addEventListener("change", draw);
    holder.append(select);
    return holder;
  }

  // The axes to choose, then a figure of the rows: points where both are numbers or days, else bars.
  function plot() {
    if (!answer || !answer.rows.length) { said("Run a query that has rows first."); return; }
    const numeric = answer.columns.filter((name) => answer.rows.some((row) => typeof row[name] === "number"));
    if (!numeric.length) { said("There is no column of numbers to draw."); return; }
    const words = answer.columns.find((name) => !numeric.includes(name) && typeof answer.rows[0][name] === "string");
    byId("sql-axes").replaceChildren(choice("Across", answer.columns, words || answer.columns[0]),
      choice("Up", numeric, numeric.includes("rating") ? "rating" : numeric[numeric.length - 1]));
    byId("sql-axes").classList.remove("hidden");
    draw();
  }

  const escaped = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  function draw() {
    const [x, y] = [...byId("sql-axes").querySelectorAll("select")].map((select) => select.value);
    const across = answer.rows.map((row) => row[x]), isWords = across.some((value) => typeof value === "string" && !/^\d{4}-\d\d-\d\d/.test(value));
    const trace = { x: across.map((value) => (typeof value === "string" ? escaped(value) : value)), y: answer.rows.map((row) => row[y]),
      type: isWords ? "bar" : "scatter", mode: "markers", marker: { color: "#3b82c4" } };
    const axis = (title) => ({ title: { text: escaped(title) }, zeroline: false, gridcolor: "#e3e6ea", automargin: true });
    const figure = { data: [trace], layout: { xaxis: axis(x), yaxis: axis(y), margin: { l: 48, r: 12, t: 20, b: 44 },
      paper_bgcolor: "#ffffff", plot_bgcolor: "#ffffff", font: { color: "#1c2128" } } };
    const graph = { namespace: "dash_core_components", type: "Graph", props: { id: "sql-figure", figure: figure, responsive: true,
      style: { height: "100%" }, config: { displaylogo: false, modeBarButtonsToRemove: ["toImage", "select2d", "lasso2d"] } } };
    const html = (type, props) => ({ namespace: "dash_html_components", type: type, props: props });
    const said = { "data-title": y + " by " + x, "data-about": about.about, "data-source": about.source, "data-name": "pooltable-answer" };
    const buttons = ["PNG", "SVG"].map((form) => html("Button", { ...said, "data-picture": form.toLowerCase(), className: "as-link", children: form,
      "aria-label": "Save the figure as " + form }));
    clientside.set_props("sql-plot", { children: html("Div", { className: "panel", children: [
      html("Div", { className: "figure", children: graph }), html("P", { className: "pictures", children: ["Save as "].concat(buttons) })] }) });
  }

  clientside.pooltable_console = {
    open: function (held) {
      if (!held || !byId("sql-text")) return clientside.no_update;
      league = held.league;
      values = { ...held.values };
      about = held.about;
      answer = null;
      names = [...new Set(held.rows.flatMap((row) => [row[1], row[2]]).filter(Boolean))].sort().concat(WORDS);
      const area = byId("sql-text");
      area.addEventListener("keydown", pressed);
      area.addEventListener("input", function () { showValues(); linkFiles(); offer(); });
      area.addEventListener("blur", function () { offered = []; showOffered(); });
      byId("sql-run").addEventListener("click", run);
      byId("sql-draw").addEventListener("click", plot);
      showSchema(held.rows);
      showHistory();
      showValues();
      linkFiles();
      if (held.run && parameters().every((name) => name in values)) run();
      return clientside.no_update;
    },
  };
})();
