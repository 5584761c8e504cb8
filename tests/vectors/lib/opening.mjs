// How a vector of each kind is opened: by whom, with which keys, at what time.

import { pageInput } from './bundles.mjs';
import { decodeCase } from './casefile.mjs';
import { directoryOrigin, openNote, receiptsOrigin } from './checkpoint.mjs';
import { Directory } from './directory.mjs';
import { decodeEntry } from './entry.mjs';
import { openEnvelope } from './envelope.mjs';
import { decodeInvite, unarmour } from './invite.mjs';
import { idOf, keyOf, NETWORK } from './network.mjs';
import { openSegment } from './object.mjs';
import { buildSegment } from './refused_segments.mjs';
import { decodeStatement, openLogged, openSigned } from './statement.mjs';

/** A directory of all leaves of net, which further leaves may change. */
export function mirror(net) {
  const dir = new Directory(NETWORK);
  net.log.raw.forEach((leaf) => dir.add(leaf));
  return dir;
}

/** What a recipient holds who opens with keys. */
export function recipient(dir, keys, seen = () => false) {
  return { network_id: NETWORK, keys, senderKey: (m, at) => dir.sender(m, at), seen };
}

const OPEN = {
  envelope: (net, v) =>
    openEnvelope(v.bytes, recipient(net.log.dir, [pageInput(net).recipients[0]])),
  segment: (net, v) => openSegment(v, Number(v.bytes), v.index, buildSegment(v)),
  statement: (net, v) => decodeStatement(v.bytes),
  signed: (net, v) => openSigned(v.bytes, keyOf('smith desk')),
  logged: (net, v) =>
    openLogged(v.bytes, keyOf('relay'), receiptsOrigin(NETWORK, idOf('relay'))),
  entry: (net, v) => decodeEntry(v.bytes),
  leaf: (net, v) => {
    const dir = mirror(net);
    v.after.forEach((leaf) => dir.add(leaf));
    return dir.add(v.bytes);
  },
  checkpoint: (net, v) => openNote(v.bytes, keyOf('relay'), directoryOrigin(NETWORK)),
  invite: (net, v) => decodeInvite(v.bytes),
  armour: (net, v) => unarmour(v.bytes.toString()),
  casefile: (net, v) => decodeCase(v.bytes),
};

/** The step that refuses v, or "nothing". */
export function refusedAt(net, v) {
  try {
    OPEN[v.kind](net, v);
  } catch (e) {
    if (e.step === undefined) throw e;
    return e.step;
  }
  return 'nothing';
}
