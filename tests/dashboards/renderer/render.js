// SPDX-License-Identifier: Apache-2.0
// Draws a page of panels: JSON on standard input, SVG on standard output.
//
// The page: {title, notes: [line], range: {start, end, step}, rows: [{title, panels: [panel]}]}.
// A panel is Grafana's, with `results`: [{legend, series: [{labels, values: [[time, value]]}]}].
// This is no Grafana: it shows the data of each query in the form that its panel asks for.
import { readFileSync } from 'node:fs';
import { FONT, heatmap, timeline, timeseries } from './charts.js';
import { seriesName, shortened, words } from './units.js';

const COLUMN = 50;
const UNIT_HEIGHT = 27;
const GAP = 6;
const LETTER = 6.4; // pixels, of a table
const SHORT = 18; // letters
const WIDTH = 24 * COLUMN + 2 * GAP;
const COLORS = { green: '#1b7f3b', red: '#c4162a', orange: '#d9730d', blue: '#3274d9' };

const escaped = (text) => String(text).replace(/[&<>"]/g, (letter) => (
  { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }[letter]));

const PLAIN = { size: 11, color: '#222', weight: 'normal', anchor: 'start' };

function text(x, y, said, look = {}) {
  const { size, color, weight, anchor } = { ...PLAIN, ...look };
  return `<text x="${x}" y="${y}" font-family="${FONT}" font-size="${size}" fill="${color}" `
    + `font-weight="${weight}" text-anchor="${anchor}">${escaped(said)}</text>`;
}

function colorOf(value, steps) {
  const reached = steps.filter((step) => step.value === null || value >= step.value).at(-1);
  return COLORS[reached.color] ?? reached.color;
}

function property(panel, name, id) {
  const found = panel.fieldConfig.overrides.filter(({ matcher }) => matcher.options === name)
    .flatMap(({ properties }) => properties).find((each) => each.id === id);
  return found?.value;
}

function stat(panel, width, height) {
  const values = panel.results
    .flatMap(({ legend, series }) => series.map(({ labels, values: all }) => (
      { name: seriesName(legend, labels), value: Number(all.at(-1)?.[1]) })))
    .filter(({ value }) => Number.isFinite(value));
  const { defaults } = panel.fieldConfig;
  const wide = width / values.length;
  return values.map(({ name, value }, place) => {
    const unit = property(panel, name, 'unit') ?? defaults.unit;
    const { steps } = property(panel, name, 'thresholds') ?? defaults.thresholds;
    const middle = wide * (place + 0.5);
    const size = Math.min(22, wide / 5);
    return text(middle, height / 2 + 6, words(value, unit), {
      size, weight: 'bold', anchor: 'middle', color: colorOf(value, steps),
    }) + text(middle, height / 2 + 24, name, { anchor: 'middle', color: '#666', size: 10 });
  }).join('');
}

function columnsOf(panel) {
  const { excludeByName, indexByName, renameByName } = panel.transformations[0].options;
  const names = Object.keys(indexByName).filter((name) => !excludeByName[name]);
  return names.map((name) => ({ name, title: renameByName[name] ?? name }));
}

function cell(panel, title, value) {
  const mapped = (property(panel, title, 'mappings') ?? [])
    .map(({ options }) => options[value]).find(Boolean);
  if (mapped) return { words: mapped.text, color: COLORS[mapped.color] ?? mapped.color };
  return { words: String(value ?? '') };
}

// Pixels of each column from its letters: short ones have what they want, long ones the rest.
function widths(letters, width) {
  const wide = letters.map((each) => each * LETTER);
  const short = letters.map((each) => each <= SHORT);
  const sum = (keep) => wide.reduce((all, each, place) => all + (keep(place) ? each : 0), 0);
  const rest = (width - sum((place) => short[place])) / sum((place) => !short[place]);
  return wide.map((each, place) => (short[place] || !(rest < 1) ? each : each * rest));
}

function table(panel, width, height) {
  const { defaults } = panel.fieldConfig;
  const columns = columnsOf(panel);
  const sorted = panel.results.flatMap(({ series }) => series)
    .map(({ labels, values }) => ({ ...labels, Value: Number(values.at(-1)[1]) }))
    .filter(({ Value }) => Number.isFinite(Value));
  const [order] = panel.options.sortBy;
  if (order) {
    const key = columns.find(({ title }) => title === order.displayName)?.name;
    sorted.sort((one, other) => (one[key] > other[key] ? 1 : -1) * (order.desc ? -1 : 1));
  }
  const lines = sorted.slice(0, Math.floor(height / 17) - 1);
  const filled = (name) => lines.some((line) => String(line[name] ?? '') !== '');
  const used = columns.filter(({ name }) => filled(name));
  const rows = lines.map((line) => used.map(({ name, title }) => (name === 'Value' && !property(
    panel, title, 'mappings') ? { words: words(line.Value, defaults.unit),
      color: colorOf(line.Value, defaults.thresholds.steps) } : cell(panel, title, line[name]))));
  const wants = widths(used.map(({ title }, place) => Math.max(
    title.length * 1.1, ...rows.map((row) => row[place].words.length)) + 2), width - 12);
  let x = 6;
  return used.map(({ title }, place) => {
    const most = Math.max(Math.floor(wants[place] / LETTER) - 1, 3);
    const drawn = [text(x, 13, shortened(title, most), { size: 10, weight: 'bold', color: '#555' }),
      ...rows.map((row, line) => text(x, 30 + 17 * line, shortened(row[place].words, most), {
        size: 10, color: row[place].color ?? '#222',
      }))];
    x += wants[place];
    return drawn.join('');
  }).join('');
}

function inside(panel, range, width, height) {
  const nothing = text(width / 2, height / 2, panel.fieldConfig.defaults.noValue ?? 'no data',
    { anchor: 'middle', color: '#888' });
  const hasData = panel.results.some(({ series }) => series.length > 0);
  if (!hasData) return nothing;
  const drawings = {
    timeseries: () => timeseries(panel, range, width, height),
    heatmap: () => heatmap(panel, range, width, height),
    'state-timeline': () => timeline(panel, range, width, height),
    stat: () => stat(panel, width, height),
    table: () => table(panel, width, height),
  };
  return drawings[panel.type]() || nothing;
}

function placed(drawn, x, y, width, height) {
  const nested = drawn.startsWith('<svg')
    ? drawn.replace('<svg', `<svg x="0" y="0"`) : drawn;
  return `<svg x="${x}" y="${y}" width="${width}" height="${height}">${nested}</svg>`;
}

function drawPanel(panel, range, top) {
  const { x, y, w, h } = panel.gridPos;
  const [left, down] = [GAP + x * COLUMN, top + y * UNIT_HEIGHT];
  const [width, height] = [w * COLUMN - GAP, h * UNIT_HEIGHT - GAP];
  return `<rect x="${left}" y="${down}" width="${width}" height="${height}" fill="white" `
    + `stroke="#d5d8dc"/>${text(left + 8, down + 17, panel.title, { weight: 'bold' })}`
    + placed(inside(panel, range, width - 8, height - 28), left + 4, down + 24, width - 8,
      height - 28);
}

function page({ title, notes, range, rows }) {
  const top = 34 + 18 * notes.length;
  let bottom = top;
  const drawn = rows.map(({ title: name, y, panels }) => {
    const end = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
    bottom = Math.max(bottom, top + end * UNIT_HEIGHT);
    return text(GAP + 4, top + y * UNIT_HEIGHT + 18, name, { size: 13, color: '#555' })
      + panels.map((panel) => drawPanel(panel, range, top)).join('');
  });
  const head = text(GAP + 4, 24, title, { size: 17, weight: 'bold' })
    + notes.map((note, place) => text(GAP + 4, 44 + 18 * place, note, { color: '#555' })).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" `
    + `width="${WIDTH}" height="${bottom + GAP}"><rect width="100%" height="100%" `
    + `fill="#f4f5f7"/>${head}${drawn.join('')}</svg>`;
}

process.stdout.write(page(JSON.parse(readFileSync(0, 'utf8'))));
