// Section 5: the case file.

import { leafHash, treeRoot } from './crypto.mjs';
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

const PATIENT = {
  birth_date: text(400), id: text(400), id_issuer: text(400), name: text(400), sex: text(400),
};
const patient = (v) => exactly(v, PATIENT);
const size64 = (v) => Number.isInteger(Number(v)) && v >= 0 && BigInt(v) <= 2n ** 36n;
const INSTANCE = { bytes: size64, class: uid, object: bin(16), sha256: bin(32), uid };
const SERIES = {
  body_part: text(400), description: text(400), instances: listOf(INSTANCE), modality: text(400), uid,
};
const KEY = { note: text(400), title: text(400), uid };
const STUDY = {
  accession: text(400), accession_issuer: text(400), date: text(400), description: text(400),
  key_images: listOf(KEY), patient, retrieve: text(1000), root: bin(32), series: listOf(SERIES), uid,
};
const CASE = {
  imaging: listOf(STUDY), note: (v) => text(2 ** 20)(v) && v !== '', patient, question: text(4000),
  subject: text(400),
  urgency: (v) => URGENCIES.includes(v), version: (v) => v === 1,
};

/** The root over the hashes of a study's instances; zero where one is not known. */
export function studyRoot(series) {
  const hashes = series.flatMap((s) => s.instances.map((i) => i.sha256));
  const isPartial = hashes.length === 0 || hashes.some((h) => h.every((b) => b === 0));
  return isPartial ? Buffer.alloc(32) : treeRoot(hashes.map((h) => leafHash(h)));
}

export function decodeCase(raw) {
  const c = parse(raw);
  if (typeof c?.version === 'number' && c.version !== 1) refuse('version', 'case file');
  need(exactly(c, CASE), 'not a case file');
  const series = c.imaging.flatMap((s) => s.series);
  const instances = series.flatMap((s) => s.instances);
  need(c.imaging.length <= 64 && series.length <= 1024 && instances.length <= 20000,
    'more images than a case may have');
  need(c.imaging.flatMap((s) => s.key_images).length <= 2000, 'more key images than a case may have');
  need(c.imaging.every((s) => studyRoot(s.series).equals(s.root)), 'root of a study');
  return c;
}
