// Charts where people look rather than read. Each stands beside a table that says the same, so it is hidden from readers.
import { BarChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

echarts.use([BarChart, LineChart, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, AriaComponent, SVGRenderer]);

const drawn = new Map();

function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  return {
    text: of("--tblr-secondary"),
    line: of("--tblr-border-color"),
    ground: of("--hm-surface"),
    good: of("--hm-chart-good"),
    warn: of("--hm-chart-warn"),
    bad: of("--hm-chart-bad"),
    calm: of("--hm-chart-calm"),
    main: of("--tblr-primary"),
  };
}

function options(data, element) {
  const paint = colours();
  const names = { type: "category", data: data.names, axisTick: { show: false }, axisLine: { lineStyle: { color: paint.line } }, axisLabel: { color: paint.text, width: data.across ? Math.min(170, element.clientWidth * 0.45) : Math.max(56, (element.clientWidth - 60) / data.names.length - 6), overflow: data.across ? "truncate" : "break", interval: data.across || data.names.length <= 6 ? 0 : "auto" } };
  const numbers = { type: "value", max: data.share || data.line ? 100 : undefined, minInterval: 1, splitNumber: element.clientWidth < 400 ? 3 : 5, splitLine: { lineStyle: { color: paint.line } }, axisLabel: { color: paint.text, formatter: data.share || data.line ? "{value} %" : "{value}" } };
  const totals = data.names.map((_, i) => data.series.reduce((sum, one) => sum + one.values[i], 0) || 1);
  return {
    animation: false,
    aria: { enabled: true, decal: { show: data.series.length > 1 } },
    grid: { left: 8, right: 16, top: data.series.length > 1 ? 32 : 12, bottom: 4, containLabel: true },
    legend: { show: data.series.length > 1, top: 0, left: 0, itemWidth: 14, itemHeight: 10, textStyle: { color: paint.text } },
    tooltip: {
      trigger: "axis",
      axisPointer: { type: data.line ? "line" : "shadow" },
      renderMode: "richText",
      backgroundColor: paint.ground,
      borderColor: paint.line,
      textStyle: { color: paint.text },
      valueFormatter: (value) => (data.share ? `${Math.round(value)} %` : data.line ? `${value} %` : String(value)),
    },
    xAxis: data.across ? numbers : names,
    yAxis: data.across ? { ...names, inverse: true } : numbers,
    series: data.series.map((one) => ({
      type: data.line ? "line" : "bar",
      name: one.name,
      symbolSize: 7,
      markLine: data.goal ? { silent: true, symbol: "none", lineStyle: { color: paint.good, type: "dashed", width: 2 }, label: { formatter: data.goal.label, position: "insideStartTop", color: paint.text }, data: [{ yAxis: data.goal.value }] } : undefined,
      stack: data.series.length > 1 ? "all" : undefined,
      barMaxWidth: 22,
      itemStyle: { color: paint[one.colour] || paint.main },
      data: one.values.map((value, i) => (data.share ? (100 * value) / totals[i] : value)),
    })),
  };
}

function draw(element) {
  const data = JSON.parse(element.dataset.chart);
  // As high as its bars need: one bar in a large empty field says nothing more.
  if (data.across) element.style.height = `${Math.min(26, data.names.length * 2.375 + (data.series.length > 1 ? 4 : 2.5))}rem`;
  const chart = drawn.get(element) || echarts.init(element, null, { renderer: "svg" });
  drawn.set(element, chart);
  chart.setOption(options(data, element), true);
}

for (const element of document.querySelectorAll("[data-chart]")) draw(element);
new MutationObserver(() => drawn.forEach((_, element) => draw(element))).observe(document.documentElement, {
  attributeFilter: ["data-bs-theme"],
});
addEventListener("resize", () =>
  drawn.forEach((chart, element) => {
    chart.resize();
    draw(element);
  }),
);
