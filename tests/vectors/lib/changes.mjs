// Bad envelopes differ little from a good one: they are stored as its name, a
// length to cut or extend it to with zeros, and runs of changed bytes.

const GAP = 8; // equal bytes that are worth a new run

/** bytes as [[at, bytes], …] over base. */
export function changesOf(base, bytes) {
  const runs = [];
  for (let i = 0; i < bytes.length; i++) {
    if ((base[i] ?? 0) === bytes[i]) continue;
    const last = runs.at(-1);
    if (last && i - last.end < GAP) last.end = i + 1;
    else runs.push({ at: i, end: i + 1 });
  }
  return runs.map(({ at, end }) => [at, bytes.subarray(at, end)]);
}

/** What changesOf undid. */
export function applyChanges(base, length, changes) {
  const out = Buffer.alloc(length);
  base.copy(out, 0, 0, Math.min(base.length, length));
  for (const [at, run] of changes) run.copy(out, at);
  return out;
}
