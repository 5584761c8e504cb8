// Fixed layouts, each written once for both directions: a layout has put(value),
// which gives bytes, and get(reader), which gives the value or throws Refused.
// put checks nothing but widths, because the bad vectors are made with it too.

export class Refused extends Error {
  constructor(step, why) {
    super(`${step}: ${why}`);
    this.step = step;
  }
}

export function refuse(step, why) {
  throw new Refused(step, why);
}

/** Require ok of a layout. */
export function need(ok, why) {
  if (!ok) refuse('layout', why);
}

export class Reader {
  constructor(bytes) {
    this.bytes = Buffer.from(bytes);
    this.at = 0;
  }
  left() {
    return this.bytes.length - this.at;
  }
  take(n) {
    need(n <= this.left(), 'ends early');
    return this.bytes.subarray(this.at, (this.at += n));
  }
}

/** The whole of bytes as one value of layout. */
export function decode(layout, bytes) {
  const r = new Reader(bytes);
  const v = layout.get(r);
  need(r.left() === 0, 'trailing bytes');
  return v;
}

function uint(width) {
  return {
    put(v) {
      const out = Buffer.alloc(width);
      let n = BigInt(v);
      for (let i = width - 1; i >= 0; i--, n >>= 8n) out[i] = Number(n & 255n);
      if (n !== 0n) throw new Error(`${v} is wider than ${width} bytes`);
      return out;
    },
    get(r) {
      let n = 0n;
      for (const b of r.take(width)) n = (n << 8n) | BigInt(b);
      return width === 8 ? n : Number(n);
    },
  };
}

export const u8 = uint(1);
export const u16 = uint(2);
export const u32 = uint(4);
export const u64 = uint(8);
export const NONE = 2n ** 64n - 1n;

export function bytes(n) {
  return {
    put(v) {
      if (v.length !== n) throw new Error(`${v.length} bytes where ${n} belong`);
      return Buffer.from(v);
    },
    get: (r) => r.take(n),
  };
}

export const id = bytes(16);
export const hash = bytes(32);

/** Values of layout for which ok holds. */
export function where(layout, ok, why) {
  return {
    put: layout.put,
    get(r) {
      const v = layout.get(r);
      need(ok(v), why);
      return v;
    },
  };
}

export function oneOf(layout, ...values) {
  return where(layout, (v) => values.includes(v), `not one of ${values}`);
}

/** A version or suite: what another number means is not known. */
export function version(layout, number) {
  return {
    put: layout.put,
    get(r) {
      const v = layout.get(r);
      if (v !== number) refuse('version', `${v} is not known`);
      return v;
    },
  };
}

/** Fields in order: ['name', layout] pairs. */
export function struct(...fields) {
  return {
    put: (v) => Buffer.concat(fields.map(([name, f]) => f.put(v[name]))),
    get: (r) => Object.fromEntries(fields.map(([name, f]) => [name, f.get(r)])),
  };
}

/** A length, then that many bytes. */
export function blob(length, min = 0, max = Infinity) {
  return {
    put: (v) => Buffer.concat([length.put(v.length), v]),
    get(r) {
      const n = length.get(r);
      need(n >= min && n <= max, `length ${n}`);
      return r.take(n);
    },
  };
}

export function utf8(raw) {
  let s;
  try {
    s = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw);
  } catch {
    need(false, 'not UTF-8');
  }
  need(!s.includes('\0'), 'NUL in text');
  return s;
}

function text(length, min, max) {
  const raw = blob(length, min, max);
  return { put: (s) => raw.put(Buffer.from(s)), get: (r) => utf8(raw.get(r)) };
}

export const str8 = (min = 0, max = 255) => text(u8, min, max);
export const str16 = (min = 0, max = 65535) => text(u16, min, max);

/** A count, then rows; with `ascending` they rise strictly by their first field. */
export function rows(count, layout, { min = 0, max = Infinity, ascending = true } = {}) {
  return {
    put: (v) => Buffer.concat([count.put(v.length), ...v.map((x) => layout.put(x))]),
    get(r) {
      const n = count.get(r);
      need(n >= min && n <= max, `${n} rows`);
      const out = [];
      for (let i = 0; i < n; i++) out.push(layout.get(r));
      for (let i = 1; ascending && i < n; i++)
        need(before(first(out[i - 1]), first(out[i])), 'rows do not ascend');
      return out;
    },
  };
}

function first(row) {
  return Buffer.isBuffer(row) || typeof row !== 'object' ? row : Object.values(row)[0];
}

function before(a, b) {
  return Buffer.isBuffer(a) ? Buffer.compare(a, b) < 0 : a < b;
}

/** 0, or 1 and a value. */
export function optional(layout) {
  return {
    put: (v) => (v === null ? u8.put(0) : Buffer.concat([u8.put(1), layout.put(v)])),
    get: (r) => (oneOf(u8, 0, 1).get(r) ? layout.get(r) : null),
  };
}

export function label(name) {
  return Buffer.from(`${name}\0`);
}

export function constant(value) {
  return {
    put: (v) => v ?? value,
    get(r) {
      need(r.take(value.length).equals(value), `not ${JSON.stringify(value.toString())}`);
      return value;
    },
  };
}

const HANDLE = /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/;

export function isHandle(s) {
  return s.length <= 63 && HANDLE.test(s);
}

export function isAddress(s) {
  const [local, handle, more] = s.split('@');
  return handle !== undefined && more === undefined && local.length <= 64 &&
    HANDLE.test(local) && isHandle(handle);
}

export const address = where(str8(), isAddress, 'not an address');
export const handle = where(str8(), isHandle, 'not a handle');
