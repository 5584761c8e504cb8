// Writes the vectors: node generate.mjs [FOLDER], here by default. Same bytes at
// every run.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleFacts, makeBundles } from './lib/bundles.mjs';
import { applyChanges, changesOf } from './lib/changes.mjs';
import { errorOf } from './lib/errors.mjs';
import { fileFacts } from './lib/files.mjs';
import { writeJson } from './lib/json.mjs';
import { refusedAt } from './lib/opening.mjs';
import { makeNetwork, networkFacts } from './lib/network.mjs';
import { inviteFacts, statementFacts } from './lib/records.mjs';
import { refusedEnvelopes } from './lib/refused.mjs';
import { refusedRecords } from './lib/refused_records.mjs';
import { refusedSegments } from './lib/refused_segments.mjs';

const folder = process.argv[2] ?? fileURLToPath(new URL('.', import.meta.url));
const here = (name) => join(folder, name);

const net = makeNetwork();
const bundles = makeBundles(net);
const refused = [
  ...refusedEnvelopes(net), ...refusedSegments(), ...refusedRecords(net, bundles[0])];

// The stored form of an envelope: what differs from the bundle "page".
const base = bundles.find(({ x }) => x.name === 'page').sealed.envelope;

function stored(v) {
  if (v.kind !== 'envelope') return v;
  const { bytes, ...rest } = v;
  const changes = changesOf(base, bytes);
  if (!applyChanges(base, bytes.length, changes).equals(bytes)) throw new Error(v.name);
  return { ...rest, base: 'page', length: bytes.length, changes };
}

for (const v of refused) {
  const step = refusedAt(net, v);
  if (step !== v.step) throw new Error(`${v.kind} "${v.name}": ${v.step} expected, not ${step}`);
}

writeJson(here('network.json'), networkFacts(net));
writeJson(here('bundles.json'), bundles.map(({ x, sealed }) => bundleFacts(x, sealed)));
writeJson(here('statements.json'), statementFacts(net, bundles[0]));
writeJson(here('invite.json'), inviteFacts(net));
writeJson(here('files.json'), fileFacts(net));
writeJson(here('refused.json'), refused.map(stored).map((v) => ({ ...v, error: errorOf(v) })));
