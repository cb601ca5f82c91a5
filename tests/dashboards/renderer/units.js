// SPDX-License-Identifier: Apache-2.0
// Numbers as Grafana writes them: the unit ids of a dashboard, and legends.

const SECONDS = [[1, 's'], [1e-3, 'ms'], [1e-6, 'µs'], [1e-9, 'ns']];
const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
const THOUSANDS = ['', 'K', 'M', 'G'];

function digits(value) {
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) >= 1000 ? String(Math.round(rounded)) : String(rounded);
}

function scaled(value, base, names) {
  let place = 0;
  while (Math.abs(value) >= base && place < names.length - 1) {
    value /= base;
    place += 1;
  }
  return [digits(value), names[place]];
}

function seconds(value) {
  if (Math.abs(value) >= 120) return `${digits(value / 60)} min`;
  const [size, name] = SECONDS.find(([least]) => Math.abs(value) >= least) ?? [1, 's'];
  return `${digits(value / size)} ${name}`;
}

const WORDS = {
  s: seconds,
  bytes: (value) => scaled(value, 1024, BYTES).join(' '),
  Bps: (value) => `${scaled(value, 1024, BYTES).join(' ')}/s`,
  ops: (value) => `${scaled(value, 1000, THOUSANDS).join('')}/s`,
  cps: (value) => `${scaled(value, 1000, THOUSANDS).join('')}/s`,
  percentunit: (value) => `${digits(value * 100)} %`,
};

// A value in the words of its unit.
export function words(value, unit) {
  return WORDS[unit]?.(value) ?? scaled(value, 1000, THOUSANDS).join('');
}

// The name of a series: its legend with {{label}} filled in.
export function seriesName(legend, labels) {
  return legend.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => labels[label] ?? '').trim();
}

// A name that fits: target names begin alike, so the middle is left out.
export function shortened(text, most) {
  if (text.length <= most) return text;
  const half = Math.floor((most - 1) / 2);
  return `${text.slice(0, half)}…${text.slice(text.length - (most - 1 - half))}`;
}
