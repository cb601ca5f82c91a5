// SPDX-License-Identifier: Apache-2.0
// Panels that are drawings: time series, heatmaps and states over time, as SVG by ECharts.
import * as echarts from 'echarts';
import { seriesName, shortened, words } from './units.js';

export const FONT = 'DejaVu Sans, sans-serif';
const COLORS = ['#3274d9', '#e0752d', '#299c46', '#a352cc', '#c4162a', '#1f9e9e', '#8f6b00',
  '#d65aa8', '#5c6b73', '#7eb26d', '#447ebc', '#b7472a'];
const GRID = { left: 64, right: 12, top: 8, bottom: 22 };
const LEGEND_LINE = 15;
const TEXT = { fontFamily: FONT, fontSize: 10, color: '#444' };

function svg(option, width, height) {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  chart.setOption({ animation: false, color: COLORS, textStyle: TEXT, ...option });
  const drawn = chart.renderToSVGString();
  chart.dispose();
  return drawn;
}

function timeAxis(range) {
  return {
    type: 'value', min: 0, max: range.end - range.start, axisLabel: {
      ...TEXT, formatter: (second) => `${second} s`, hideOverlap: true,
    }, splitLine: { show: false }, axisLine: { onZero: false, lineStyle: { color: '#999' } },
  };
}

function allSeries(panel) {
  return panel.results.flatMap(({ legend, series }) => series.map(({ labels, values }) => (
    { name: seriesName(legend, labels) || 'value', labels, values })));
}

function overridden(panel, name, id) {
  const found = panel.fieldConfig.overrides.find(({ matcher }) => matcher.options === name);
  return found?.properties.find((property) => property.id === id)?.value;
}

function finite(values, start) {
  return values.map(([time, value]) => [time - start, Number(value)])
    .map(([time, value]) => [time, Number.isFinite(value) ? value : null]);
}

function highest(points) {
  return Math.max(...points.map(([, value]) => Math.abs(value ?? 0)), 0);
}

function thresholdLines(panel) {
  if (panel.fieldConfig.defaults.custom?.thresholdsStyle?.mode !== 'dashed') return undefined;
  const steps = panel.fieldConfig.defaults.thresholds.steps.filter(({ value }) => value !== null);
  return {
    silent: true, symbol: 'none', label: { show: false }, data: steps.map(({ color, value }) => (
      { yAxis: value, lineStyle: { color, type: 'dashed', width: 1 } })),
  };
}

// A share of the whole at each time: what Grafana does with stacking in percent.
function asShares(series) {
  const whole = new Map();
  for (const { data } of series) {
    for (const [time, value] of data) whole.set(time, (whole.get(time) ?? 0) + (value ?? 0));
  }
  for (const each of series) {
    each.data = each.data.map(([time, value]) => (
      [time, whole.get(time) > 0 ? (value ?? 0) / whole.get(time) : null]));
  }
}

function sortedSeries(panel, start) {
  const found = allSeries(panel).map(({ name, values }) => {
    const negative = overridden(panel, name, 'custom.transform') === 'negative-Y';
    const data = finite(values, start).map(([time, value]) => (
      [time, negative && value !== null ? -value : value]));
    return { name, data };
  });
  return found.filter(({ data }) => data.some(([, value]) => value !== null))
    .sort((one, other) => highest(other.data) - highest(one.data));
}

export function timeseries(panel, range, width, height) {
  const { custom, unit: own } = panel.fieldConfig.defaults;
  const stacking = custom.stacking.mode;
  const series = sortedSeries(panel, range.start);
  if (series.length === 0) return null;
  if (stacking === 'percent') asShares(series);
  const unit = stacking === 'percent' ? 'percentunit' : own;
  const maxima = new Map(series.map(({ name, data }) => [name, highest(data)]));
  // Series that are zero all the time say little; two of them stand for the others.
  const zeros = series.filter(({ name }) => maxima.get(name) === 0).slice(0, 2);
  const shown = series.filter(({ name }) => maxima.get(name) > 0).slice(0, 5).concat(zeros)
    .slice(0, 5);
  const isLog = custom.scaleDistribution?.type === 'log';
  const legend = {
    data: shown.map(({ name }) => name), bottom: 0, left: 4, orient: 'vertical', itemWidth: 14,
    itemHeight: 6, itemGap: 3, textStyle: { ...TEXT, fontSize: 10 },
    formatter: (name) => `${shortened(name, Math.floor(width / 7.5))}   max `
      + words(maxima.get(name), unit),
  };
  return svg({
    grid: { ...GRID, bottom: GRID.bottom + LEGEND_LINE * shown.length }, legend,
    xAxis: timeAxis(range),
    yAxis: {
      type: isLog ? 'log' : 'value', max: stacking === 'percent' ? 1 : undefined,
      splitNumber: 4, axisLabel: { ...TEXT, formatter: (value) => words(value, unit) },
      splitLine: { lineStyle: { color: '#eee' } },
    },
    series: series.map(({ name, data }, place) => ({
      type: 'line', name, showSymbol: false, lineStyle: { width: 1.4 },
      data: isLog ? data.map(([time, value]) => [time, value > 0 ? value : null]) : data,
      stack: stacking === 'none' ? undefined : 'all',
      areaStyle: stacking === 'none' ? undefined : { opacity: 0.55 },
      markLine: place === 0 ? thresholdLines(panel) : undefined,
    })),
  }, width, height);
}

function boundsOf(series) {
  return series.map(({ labels, values }) => ({ bound: Number(labels.le), values }))
    .sort((one, other) => one.bound - other.bound);
}

export function heatmap(panel, range, width, height) {
  const { unit } = panel.fieldConfig.defaults;
  const buckets = boundsOf(allSeries(panel));
  const cells = [];
  buckets.forEach(({ values }, row) => {
    const below = new Map(row > 0 ? buckets[row - 1].values : []);
    for (const [time, value] of values) {
      const count = Number(value) - Number(below.get(time) ?? 0);
      if (count > 1e-9) cells.push([time - range.start, row, count]);
    }
  });
  if (cells.length === 0) return null;
  const rows = cells.map(([, row]) => row);
  const [first, last] = [Math.max(Math.min(...rows) - 1, 0), Math.max(...rows)];
  const times = [...new Set(cells.map(([time]) => time))].sort((one, other) => one - other);
  const labels = buckets.slice(first, last + 1).map(({ bound }) => (
    Number.isFinite(bound) ? words(bound, unit) : 'more'));
  return svg({
    grid: GRID,
    xAxis: { type: 'category', data: times.map((time) => `${time} s`), axisLabel: TEXT },
    yAxis: { type: 'category', data: labels, axisLabel: TEXT },
    visualMap: {
      show: false, min: 0, max: Math.sqrt(Math.max(...cells.map(([, , count]) => count))),
      dimension: 2, inRange: { color: ['#fff3e0', '#fb8c00', '#bf360c'] },
    },
    series: [{
      type: 'heatmap', data: cells.map(([time, row, count]) => (
        [times.indexOf(time), row - first, Math.sqrt(count)])),
    }],
  }, width, height);
}

// Pieces of time with one value.
function pieces(values, start, step) {
  const found = [];
  for (const [time, value] of values) {
    const last = found.at(-1);
    if (last && last.value === value && time - start <= last.end + step) last.end = time - start;
    else found.push({ value, begin: time - start, end: time - start });
  }
  return found;
}

export function timeline(panel, range, width, height) {
  const mapping = panel.fieldConfig.defaults.mappings[0].options;
  const series = allSeries(panel);
  if (series.length === 0) return null;
  const data = series.flatMap(({ values }, row) => pieces(values, range.start, range.step)
    .map(({ value, begin, end }) => [row, begin, Math.max(end, begin + range.step), value]));
  const colors = { red: '#c4162a', green: '#299c46' };
  return svg({
    grid: { ...GRID, left: 150 },
    xAxis: timeAxis(range),
    yAxis: {
      type: 'category', inverse: true, data: series.map(({ name }) => shortened(name, 22)),
      axisLabel: { ...TEXT, fontSize: 9 },
    },
    series: [{
      type: 'custom', encode: { x: [1, 2], y: 0 }, data,
      renderItem: (_, api) => {
        const [x, y] = api.coord([api.value(1), api.value(0)]);
        const tall = api.size([0, 1])[1] * 0.7;
        const wide = api.coord([api.value(2), 0])[0] - x;
        const { color } = mapping[api.value(3)] ?? { color: 'grey' };
        return {
          type: 'rect', shape: { x, y: y - tall / 2, width: wide, height: tall },
          style: { fill: colors[color] ?? color },
        };
      },
    }],
  }, width, height);
}
