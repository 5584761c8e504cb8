// The canonical subset of MessagePack of section 9: unsigned integers, bool,
// str, bin, arrays, and maps with ascending text keys, in their shortest form.

import { need, Reader, u16, u32, u64, u8, utf8 } from './layout.mjs';

const cat = (...parts) => Buffer.concat(parts);

// first: the code of the one-byte-length form, absent for arrays and maps.
function head(n, fix, fixMax, codes) {
  if (n <= fixMax) return Buffer.of(fix | n);
  const [c8, c16, c32, c64] = codes;
  if (c8 && n <= 0xff) return Buffer.of(c8, n);
  if (n <= 0xffff) return cat(Buffer.of(c16), u16.put(n));
  return n <= 0xffffffff ? cat(Buffer.of(c32), u32.put(n)) : cat(Buffer.of(c64), u64.put(n));
}

const NO_FIX = -1;
const STR = [0xd9, 0xda, 0xdb];
const BIN = [0xc4, 0xc5, 0xc6];
const ARRAY = [0, 0xdc, 0xdd];
const MAP = [0, 0xde, 0xdf];
const UINT = [0xcc, 0xcd, 0xce, 0xcf];

export function encode(v) {
  if (typeof v === 'boolean') return Buffer.of(v ? 0xc3 : 0xc2);
  if (typeof v === 'number') return head(v, 0, 0x7f, UINT);
  if (typeof v === 'string') {
    const raw = Buffer.from(v);
    return cat(head(raw.length, 0xa0, 31, STR), raw);
  }
  if (Buffer.isBuffer(v)) return cat(head(v.length, 0, NO_FIX, BIN), v);
  if (Array.isArray(v)) return cat(head(v.length, 0x90, 15, ARRAY), ...v.map(encode));
  const keys = Object.keys(v).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return cat(head(keys.length, 0x80, 15, MAP),
    ...keys.flatMap((k) => [encode(k), encode(v[k])]));
}

const WIDTHS = [u8, u16, u32, u64];
const FLOORS = [0, 0x100, 0x10000, 0x100000000];

// The number that follows one of codes; it must not fit a shorter form.
function number(r, which, floor) {
  const n = Number(WIDTHS[which].get(r)); // nothing here goes beyond 2^53
  need(n >= Math.max(floor, FLOORS[which]), 'not the shortest form');
  return n;
}

// [type, lowest and highest one-byte code, codes, floor of the u8 form]
const FORMS = [
  ['uint', 0x00, 0x7f, UINT, 0x80],
  ['map', 0x80, 0x8f, MAP, 16],
  ['array', 0x90, 0x9f, ARRAY, 16],
  ['str', 0xa0, 0xbf, STR, 32],
  ['bin', 1, 0, BIN, 0],
];

function headOf(r) {
  const c = u8.get(r);
  for (const [type, low, high, codes, floor] of FORMS) {
    if (c >= low && c <= high) return [type, c - low];
    const which = codes.indexOf(c);
    if (c !== 0 && which >= 0) return [type, number(r, which, floor)];
  }
  return c === 0xc2 || c === 0xc3 ? ['bool', c & 1] : need(false, `type ${c}`);
}

const READ = {
  uint: (r, n) => n,
  bool: (r, n) => n === 1,
  str: (r, n) => utf8(r.take(n)),
  bin: (r, n) => r.take(n),
  array: (r, n, depth) => {
    need(n <= r.left(), 'count beyond the bytes');
    return Array.from({ length: n }, () => value(r, depth + 1));
  },
  map: (r, n, depth) => {
    const out = {};
    let last = null;
    for (let i = 0; i < n; i++) {
      const [type, length] = headOf(r);
      need(type === 'str', 'a key is not text');
      const raw = r.take(length);
      need(last === null || Buffer.compare(last, raw) < 0, 'keys do not ascend');
      out[utf8((last = raw))] = value(r, depth + 1);
    }
    return out;
  },
};

function value(r, depth) {
  need(depth <= 8, 'too deep');
  const [type, n] = headOf(r);
  return READ[type](r, n, depth);
}

export function parse(raw) {
  const r = new Reader(raw);
  const v = value(r, 1);
  need(r.left() === 0, 'trailing bytes');
  return v;
}
