// Section 5: the case file.

import { need, refuse } from './layout.mjs';
import { encode, parse } from './msgpack.mjs';

export { encode as encodeCase };

const UID = /^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*$/;
const URGENCIES = ['routine', 'urgent', 'page'];

const size = (s) => Buffer.byteLength(s);
const text = (max) => (v) => typeof v === 'string' && size(v) <= max;
const uid = (v) => text(64)(v) && UID.test(v);
const bin = (n) => (v) => Buffer.isBuffer(v) && v.length === n;
const listOf = (shape) => (v) => Array.isArray(v) && v.every((x) => exactly(x, shape));

// v is a map with these keys and no others, each value as its check wants.
function exactly(v, shape) {
  const isMap = v !== null && typeof v === 'object' && !Array.isArray(v) && !Buffer.isBuffer(v);
  return isMap && Object.keys(v).sort().join() === Object.keys(shape).sort().join() &&
    Object.entries(shape).every(([k, ok]) => ok(v[k]));
}

const INSTANCE = { class: uid, object: bin(16), sha256: bin(32), uid };
const SERIES = { description: text(400), instances: listOf(INSTANCE), modality: text(400), uid };
const STUDY = {
  accession: text(400), birth_date: text(400), date: text(400), description: text(400),
  patient_id: text(400), patient_name: text(400), series: listOf(SERIES), uid,
};
const CASE = {
  imaging: listOf(STUDY), note: (v) => text(2 ** 20)(v) && v !== '', question: text(4000), subject: text(400),
  urgency: (v) => URGENCIES.includes(v), version: (v) => v === 1,
};

export function decodeCase(raw) {
  const c = parse(raw);
  if (typeof c?.version === 'number' && c.version !== 1) refuse('version', 'case file');
  need(exactly(c, CASE), 'not a case file');
  const series = c.imaging.flatMap((s) => s.series);
  const instances = series.flatMap((s) => s.instances);
  need(c.imaging.length <= 64 && series.length <= 1024 && instances.length <= 20000,
    'more images than a case may have');
  return c;
}
