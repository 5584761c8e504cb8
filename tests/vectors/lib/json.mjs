// How vectors are written: bytes as hex, u64 as decimal text, else as JSON has it.

import { readFileSync, writeFileSync } from 'node:fs';

function plain(v) {
  if (Buffer.isBuffer(v) || v instanceof Uint8Array) return Buffer.from(v).toString('hex');
  if (typeof v === 'bigint') return v.toString();
  if (Array.isArray(v)) return v.map(plain);
  if (v === null || typeof v !== 'object') return v;
  return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, plain(x)]));
}

/** The text of v: one line for what is short. */
function layOut(v, indent) {
  const short = JSON.stringify(v);
  if (v === null || typeof v !== 'object' || short.length + indent.length < 100) return short;
  const inner = `${indent} `;
  const rows = Array.isArray(v)
    ? v.map((x) => inner + layOut(x, inner))
    : Object.entries(v).filter(([, x]) => x !== undefined)
      .map(([k, x]) => `${inner}${JSON.stringify(k)}: ${layOut(x, inner)}`);
  const [open, close] = Array.isArray(v) ? '[]' : '{}';
  return `${open}\n${rows.join(',\n')}\n${indent}${close}`;
}

export const toText = (v) => `${layOut(plain(v), '')}\n`;

export function writeJson(path, v) {
  writeFileSync(path, toText(v));
}

export const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
