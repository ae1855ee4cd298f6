// One selection for all charts, which are Vega-Lite, and for the table of networks.
const read = id => JSON.parse(document.getElementById(id).textContent);
const $ = id => document.getElementById(id);

// A table by columns as rows: texts stand once each, with their places.
function unpacked(table) {
  const names = Object.keys(table);
  const columns = names.map(name => Array.isArray(table[name]) ? table[name]
    : table[name].codes.map(code => table[name].levels[code]));
  return Array.from(columns[0] ?? [], (_, row) =>
    Object.fromEntries(names.map((name, column) => [name, columns[column][row]])));
}

const tables = Object.fromEntries(Object.entries(read("data")).map(([k, v]) => [k, unpacked(v)]));
const specifications = read("specifications"), measures = read("measures");
const models = new Map(tables.models.map(row => [row.model, row]));
for (const name of ["scores", "layers", "contrasts", "hierarchy"])
  tables[name] = tables[name].map(row => ({...models.get(row.model), ...row}));
const key = (...parts) => parts.join("\n");
const scoreOf = new Map(tables.scores.map(row => [key(row.model, row.mapping, row.area), row]));
const areas = Array.from($("choose-area").options, option => option.value).filter(Boolean);

const state = {mapping: $("choose-mapping").value, area: "", family: "", chosen: new Set(), shown: "",
  sort: "top1", falling: true};
const signals = () => ({at_mapping: state.mapping, at_area: state.area, at_family: state.family,
  chosen: [...state.chosen], shown_model: state.shown});

// Charts
const views = new Map();
let drawing = 0;

function laidOut(name, width) {
  const spec = structuredClone(specifications[name]), {panels, aspect, widest, labels} = spec.usermeta;
  if (!panels)
    return {...spec, width: Math.max(120, Math.min(width - labels, widest))};
  const count = state.area && name !== "model" ? 1 : panels, names = name === "training" ? 140 : 62;
  let columns = Math.max(1, Math.min(count, 3, Math.floor((width - names) / 210)));
  while (count <= 4 && count % columns) columns--; // no row of few is left half empty
  const own = Math.floor((width - names - 24 * (columns - 1)) / columns) - (name === "model" ? 40 : 0);
  spec.columns = columns;
  spec.spec.width = Math.max(120, Math.min(own, 480));
  if (aspect) spec.spec.height = Math.round(spec.spec.width * aspect);
  return spec;
}

async function draw(place) {
  const name = place.dataset.chart, spec = laidOut(name, place.clientWidth);
  const source = spec.data?.name;
  spec.datasets = {[source]: tables[source].map(row => ({...row}))};
  for (const parameter of spec.params) {
    const value = {...signals(), ...options(name)}[parameter.name];
    if (value !== undefined) parameter.value = value;
  }
  views.get(name)?.finalize();
  const drawn = await vegaEmbed(place, spec, {renderer: "svg", actions: false, defaultStyle: false, logLevel: 1,
    tooltip: {disableDefaultStyle: true}});
  drawn.view.addEventListener("click", (event, item) => {
    if (models.has(item?.datum?.model)) choose([item.datum.model]);
  });
  views.set(name, drawn);
}

const options = name => Object.fromEntries(Array.from(
  document.querySelectorAll(`select[data-chart="${name}"]`), select => [select.dataset.parameter, select.value]));

async function drawAll() {
  const mine = ++drawing;
  for (const place of document.querySelectorAll(".drawing")) {
    if (mine !== drawing) return;
    if (place.dataset.chart === "model" && !state.shown) continue;
    await draw(place);
    await new Promise(done => setTimeout(done)); // the page answers between two charts
  }
  document.body.dataset.drawn = mine;
}

async function follow() {
  showSelection();
  showTable();
  const values = Object.entries(signals());
  await Promise.all(Array.from(views.values(), ({view}) => {
    for (const [name, value] of values) view.signal(name, value);
    return view.runAsync();
  }));
  if (state.shown) showNeuroids();
}

// The selection
function choose(names) {
  const every = names.every(name => state.chosen.has(name));
  for (const name of names) state.chosen[every ? "delete" : "add"](name);
  follow();
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function sign({colour, shape, training}, filled = training === "trained") {
  const space = "http://www.w3.org/2000/svg", svg = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  svg.setAttribute("class", "sign");
  svg.setAttribute("viewBox", "-1.2 -1.2 2.4 2.4");
  svg.setAttribute("aria-hidden", "true");
  for (const [name, value] of Object.entries({d: shape, stroke: colour, "stroke-width": .25,
    fill: filled ? colour : "none"})) path.setAttribute(name, value);
  svg.append(path);
  return svg;
}

const groups = new Map();
for (const row of tables.models)
  groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
const single = groups.size === models.size;
for (const [group, members] of groups)
  $("legend").append(element("button", {type: "button", "data-group": group,
    onclick: () => choose(members.map(row => row.model))}, sign(members[0], single ? undefined : true), group));

function showSelection() {
  for (const button of $("legend").children) {
    const members = groups.get(button.dataset.group);
    button.setAttribute("aria-pressed", members.every(row => state.chosen.has(row.model)));
    button.hidden = Boolean(state.family) && members.every(row => row.family !== state.family);
  }
  $("legend").classList.toggle("partly", state.chosen.size > 0);
  $("chosen-words").textContent = state.chosen.size
    ? `${state.chosen.size} of ${models.size} networks chosen` : "";
  for (const name of document.querySelectorAll(".mapping-name"))
    name.textContent = `${state.mapping} (${measures[state.mapping]})`;
}

for (const [id, name] of [["choose-mapping", "mapping"], ["choose-area", "area"], ["choose-family", "family"]])
  $(id).addEventListener("change", event => {
    state[name] = event.target.value;
    follow();
    if (name === "area") drawAll(); // a panel alone is wider
  });
$("selection").addEventListener("submit", event => event.preventDefault());
$("selection").addEventListener("reset", () => setTimeout(() => {
  Object.assign(state, {mapping: $("choose-mapping").value, area: "", family: "", chosen: new Set()});
  follow();
  drawAll();
}));
for (const select of document.querySelectorAll("select[data-parameter]"))
  select.addEventListener("change", () => views.get(select.dataset.chart)?.view
    .signal(select.dataset.parameter, select.value).runAsync());

// The table of networks
const two = value => value == null ? "–" : value.toFixed(2).replace("-", "−");
const whole = value => value == null ? "–" : value.toLocaleString("en");
const columns = [["model", "network"], ["family", "family"], ["training", "training"],
  ["top1", "top-1, %"], ["n_layers", "layers"], ["n_parameters", "parameters"]];
const words = ["model", "family", "training"];

function valueOf(row, column) {
  return areas.includes(column.area) ? scoreOf.get(key(row.model, state.mapping, column.area))?.score
    : row[column.name];
}

function shownColumns() {
  return [...columns.map(([name, title]) => ({name, title})),
    ...areas.filter(area => !state.area || area === state.area).map(area => ({name: `at ${area}`, title: area, area}))];
}

function shownRows(column) {
  const searched = $("search").value.trim().toLowerCase(), sense = state.falling ? -1 : 1;
  const found = tables.models.filter(row => (!state.family || row.family === state.family)
    && (!searched || words.some(name => row[name].toLowerCase().includes(searched))));
  const last = value => value == null || value === "";
  return found.sort((a, b) => {
    const [one, other] = [valueOf(a, column), valueOf(b, column)];
    if (last(one) || last(other)) return last(one) - last(other);
    return sense * (typeof one === "string" ? one.localeCompare(other) : one - other);
  });
}

function showTable() {
  const shown = shownColumns(), column = shown.find(({name}) => name === state.sort) ?? shown[0];
  $("table").tHead.replaceChildren(element("tr", {}, ...shown.map(({name, title}) => element("th",
    {scope: "col", class: words.includes(name) ? "word" : "number",
      "aria-sort": name !== column.name ? "none" : state.falling ? "descending" : "ascending"},
    element("button", {type: "button", "data-sort": name, onclick: () => sortBy(name)}, title)))));
  $("table").tBodies[0].replaceChildren(...shownRows(column).map(row => element("tr", {},
    ...shown.map(each => cell(row, each)))));
}

function cell(row, {name, area}) {
  if (name === "model") {
    const box = element("input", {type: "checkbox", "aria-label": `Choose ${row.model}`, onchange: () => choose([row.model])});
    box.checked = state.chosen.has(row.model);
    return element("td", {}, element("span", {class: "row"}, box, sign(row),
      element("button", {type: "button", class: "name", onclick: () => open(row.model)}, row.model)));
  }
  if (!area) {
    const text = words.includes(name) ? row[name] : name === "top1" ? row.top1?.toFixed(1) ?? "–" : whole(row[name]);
    return element("td", words.includes(name) ? {class: "word"} : {}, text);
  }
  const found = scoreOf.get(key(row.model, state.mapping, area));
  const span = found?.score_low == null ? [] : [element("small", {}, `${two(found.score_low)}–${two(found.score_high)}`)];
  return element("td", {}, two(found?.score), ...span);
}

function sortBy(name) {
  state.falling = state.sort === name ? !state.falling : !words.includes(name);
  state.sort = name;
  showTable();
  $("table").querySelector(`[data-sort="${CSS.escape(name)}"]`).focus();
}
$("search").addEventListener("input", showTable);

// A network's own view
async function open(model) {
  state.shown = model;
  const row = models.get(model);
  $("view").hidden = false;
  $("view-name").textContent = model;
  const accuracy = row.top1 == null ? "accuracy not known" : `top-1 accuracy ${row.top1.toFixed(1)} % (${row.accuracy_source})`;
  $("view-facts").textContent = `${row.family}, ${row.training}; ${accuracy}; ${whole(row.n_layers)} layers recorded, ${whole(row.n_parameters)} parameters.`;
  showNeuroids();
  $("view").focus({preventScroll: true});
  $("view").scrollIntoView({block: "start"});
  await draw(document.querySelector('.drawing[data-chart="model"]'));
}

function showNeuroids() {
  const mine = tables.neuroids.filter(row => row.model === state.shown && row.mapping === state.mapping
    && (!state.area || row.area === state.area));
  const heading = ["rank", "neuroid", "score", "ceiling", "p"].map(text => element("th", {scope: "col"}, text));
  $("view-neuroids").replaceChildren(...areas.filter(area => mine.some(row => row.area === area)).map(area =>
    element("div", {}, element("h4", {}, `${area}: best and worst predicted neuroids, layer ${scoreOf.get(key(state.shown, state.mapping, area)).best_layer}`),
      element("table", {}, element("thead", {}, element("tr", {}, ...heading.map(th => th.cloneNode(true)))),
        element("tbody", {}, ...mine.filter(row => row.area === area).map(row => element("tr", {},
          element("td", {}, whole(row.rank)), element("td", {class: "word"}, row.neuroid_id),
          element("td", {}, two(row.score)), element("td", {}, two(row.ceiling)),
          element("td", {}, row.p_value == null ? "–" : row.p_value.toFixed(3)))))))));
  if (!mine.length)
    $("view-neuroids").append(element("p", {class: "empty"}, `By ${state.mapping} there are no scores of single neuroids.`));
}

$("view-close").addEventListener("click", () => {
  state.shown = "";
  $("view").hidden = true;
  views.get("model")?.finalize();
  views.delete("model");
});

showSelection();
showTable();
drawAll();
let width = innerWidth, waiting;
addEventListener("resize", () => {
  if (innerWidth === width) return; // of a phone, only its bars come and go
  width = innerWidth;
  clearTimeout(waiting);
  waiting = setTimeout(drawAll, 150);
});
