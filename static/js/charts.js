// Makes the server's charts interactive once Plotly is here; the drawing and its table stay when it is not.

const plotlySrc = document.querySelector("script[data-plotly-src]")?.dataset.plotlySrc;
const slots = () => [...document.querySelectorAll("[data-figure]")];
const CONFIG = { displayModeBar: false, responsive: true, scrollZoom: false };
let loading = null;

function load() {
  if (!loading) {
    loading = new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = plotlySrc;
      script.async = true;
      script.addEventListener("load", () => resolve(window.Plotly));
      script.addEventListener("error", reject);
      document.head.append(script);
    });
  }
  return loading;
}

/* The palette is the style sheet's own: one place for both drawings, light and dark */
function colour(name) {
  const probe = document.createElement("i");
  probe.className = "visually-hidden";
  document.body.append(probe);
  probe.style.color = `var(--${name})`;
  const value = getComputedStyle(probe).color;
  probe.remove();
  return plain(value);
}

/* A mixed colour is computed as color(srgb …), which Plotly does not read */
function plain(value) {
  const parts = value.match(/^color\(srgb ([\d.e-]+) ([\d.e-]+) ([\d.e-]+)(?: \/ ([\d.e-]+))?\)$/);
  if (!parts) return value;
  const [red, green, blue] = parts.slice(1, 4).map((share) => Math.round(Number(share) * 255));
  return `rgba(${red}, ${green}, ${blue}, ${parts[4] ?? 1})`;
}

function palette() {
  const names = ["c1", "c2", "c3", "c4", "c5", "prev", "weekend", "ink", "ink-2", "line", "line-strong", "surface", "sunken"];
  return { ...Object.fromEntries(names.map((name) => [name, colour(name)])), pale: colour("pale") };
}

/* A trace says what it is (meta.role); light and dark say how it looks */
function dressTrace(trace, index, colours) {
  const role = trace.meta?.role;
  if (role === "previous") return { ...trace, line: { ...trace.line, color: colours.prev } };
  if (role === "refunded") return { ...trace, marker: { color: colours.c2 } };
  if (role === "grid") {
    return { ...trace, marker: { ...trace.marker, colorscale: [[0, colours.sunken], [0.001, colours.pale], [1, colours.c1]], showscale: false } };
  }
  const colour = colours[`c${(index % 5) + 1}`];
  if (trace.type === "scatter") return { ...trace, line: { width: 1.75, ...trace.line, color: colour } };
  return { ...trace, marker: { ...trace.marker, color: colour } };
}

/* Round steps as the server's drawing has them, in the money's own grouping */
function moneyTicks(figure) {
  const currency = figure.layout?.meta?.currency;
  if (!currency) return {};
  const most = Math.max(1, ...figure.data.flatMap((trace) => trace.y || []).map(Number).filter(Number.isFinite));
  let step = 1;
  for (let index = 0; step * 4 < most; index += 1) step = [1, 2, 5][index % 3] * 10 ** Math.floor(index / 3);
  const values = Array.from({ length: Math.ceil(most / step) + 1 }, (_, place) => place * step);
  const words = new Intl.NumberFormat(currency === "INR" ? "en-IN" : "en-US", { style: "currency", currency, currencyDisplay: "narrowSymbol", maximumFractionDigits: 0 });
  return { tickvals: values, ticktext: values.map((value) => words.format(value)), range: [0, values.at(-1)] };
}

function axis(given, colours) {
  return {
    gridcolor: colours.line,
    linecolor: colours["line-strong"],
    zerolinecolor: colours["line-strong"],
    tickfont: { color: colours["ink-2"], size: 12 },
    fixedrange: true,
    automargin: true,
    ...given,
  };
}

function dressed(figure) {
  const colours = palette();
  const layout = figure.layout || {};
  return {
    data: (figure.data || []).map((trace, index) => dressTrace(trace, index, colours)),
    layout: {
      margin: { l: 8, r: 8, t: 8, b: 28 },
      bargap: 0.25,
      showlegend: false,
      hovermode: "closest",
      ...layout,
      xaxis: axis({ showgrid: false, ...layout.xaxis }, colours),
      yaxis: axis({ ...layout.yaxis, ...moneyTicks(figure) }, colours),
      shapes: (layout.shapes || []).map((shape) => (shape.name === "weekend" ? { ...shape, fillcolor: colours.weekend } : shape)),
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: colours["ink-2"] },
      hoverlabel: { bgcolor: colours.ink, bordercolor: colours.ink, font: { color: colours.surface, size: 12 } },
      autosize: true,
      height: 264,
    },
  };
}

/* The keyboard walks the first trace: arrows show and say a point, Enter opens the rows behind it */
function walk(plotly, stage, words, event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const trace = stage.data[0];
  const last = trace.x.length - 1;
  if (step) {
    event.preventDefault();
    const at = stage.at === undefined ? (step > 0 ? 0 : last) : Math.min(last, Math.max(0, stage.at + step));
    stage.at = at;
    plotly.Fx.hover(stage, [{ curveNumber: 0, pointNumber: at }]);
    words.textContent = trace.hovertext?.[at] || `${trace.x[at]}: ${trace.y[at]}`;
  }
  if (event.key === "Enter" && stage.at !== undefined) follow({ points: [{ customdata: trace.customdata?.[stage.at] }] });
  if (event.key === "Escape") plotly.Fx.unhover(stage);
}

/* Every bar leads to the rows behind it, on this site alone */
function follow(event) {
  const href = event.points?.[0]?.customdata;
  if (typeof href !== "string") return;
  const to = new URL(href, location.href);
  if (to.origin === location.origin) location.assign(to);
}

async function draw(slot) {
  const plotly = await load();
  const answer = await fetch(slot.dataset.figure, { credentials: "same-origin", headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  slot.figure = await answer.json();
  show(plotly, slot);
}

function show(plotly, slot) {
  if (!slot.figure) return;
  const { data, layout } = dressed(slot.figure);
  let stage = slot.querySelector("[data-stage]");
  if (!stage) {
    stage = document.createElement("div");
    stage.dataset.stage = "";
    const drawing = slot.querySelector("svg");
    stage.tabIndex = 0;
    stage.setAttribute("role", "group");
    stage.setAttribute("aria-label", `${drawing?.getAttribute("aria-label") || "Chart"}. Walk it with the arrow keys.`);
    const words = document.createElement("p");
    words.className = "visually-hidden";
    words.setAttribute("role", "status");
    slot.replaceChildren(stage, words);
    stage.addEventListener("keydown", (event) => walk(plotly, stage, words, event));
    slot.dataset.liveChart = "";
  }
  plotly.react(stage, data, layout, CONFIG);
  if (!stage.dataset.stage) {
    stage.dataset.stage = "drawn";
    stage.on("plotly_click", follow);
  }
}

function redraw(topic) {
  for (const slot of slots()) {
    const asked = slot.dataset.figureTopic;
    if (!topic || !asked || asked === topic) draw(slot).catch(() => {});
  }
}

let soon = 0;
function redrawSoon(topic) {
  clearTimeout(soon);
  soon = setTimeout(() => redraw(topic), 1200);
}

document.addEventListener("paydeck:knock", (event) => redrawSoon(event.detail.topic));
document.addEventListener("paydeck:swapped", () => redrawSoon(null));
const repaint = () => load().then((plotly) => slots().forEach((slot) => show(plotly, slot)), () => {});
document.addEventListener("paydeck:theme", repaint);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);

if (slots().length) {
  const begin = () => redraw(null);
  if ("requestIdleCallback" in window) requestIdleCallback(begin, { timeout: 1500 });
  else setTimeout(begin, 200);
}
