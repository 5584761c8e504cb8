// The error (proto/base/err.def) that stands for each step of refusing. Some have
// another: what is too long or too many is TOO_LARGE, and so on.

const ERRORS = {
  layout: 'MALFORMED', version: 'UNSUPPORTED', network: 'WRONG_NETWORK', recipient: 'NO_KEY',
  stanza: 'BAD_MAC', mac: 'BAD_MAC', body: 'BAD_MAC', padding: 'MALFORMED',
  manifest: 'MALFORMED', binding: 'MALFORMED', certificate: 'NOT_FOUND',
  signature: 'BAD_SIGNATURE', object: 'BAD_MAC', proof: 'FORKED', origin: 'WRONG_NETWORK',
  order: 'CLASH', authority: 'DENIED', used: 'USED', name: 'USED', quorum: 'DENIED',
  limit: 'QUOTA', revoked: 'REVOKED', missing: 'NOT_FOUND', expired: 'EXPIRED',
  lapsed: 'LAPSED',
};

// "kind name" of the vectors whose error is another than their step's.
const OTHERS = {
  UNSUPPORTED: [
    'envelope magic', 'envelope content kind 0', 'envelope content kind 9',
    'statement unknown fact', 'statement label without NUL', 'entry type 0', 'entry type 14',
    'invite magic',
  ],
  TOO_LARGE: [
    'envelope seventeen parents',
    'envelope segments 65543', 'statement 1025 objects', 'statement text too long',
    'logged proof of 65 hashes', 'entry name of 201 bytes', 'entry role of 201 bytes',
    'entry batch of 27', 'entry specialty of 201 bytes', 'entry licence state of 41 bytes',
    'entry licence number of 41 bytes', 'entry NPI of eleven digits',
    'checkpoint longer than 4096', 'invite name of 201 bytes',
    'casefile question too long', 'casefile subject too long', 'casefile 65 studies',
    'casefile UID of 65', 'casefile patient name too long', 'casefile retrieve URL too long',
  ],
  MALFORMED: [
    'segment padding not zero', 'segment not padded', 'segment padded further',
    'segment one byte short', 'logged place beyond the log', 'logged proof cut',
    'logged proof too long',
  ],
  BAD_SIGNATURE: ['envelope sender of another member'],
  REVOKED: ['envelope sender revoked itself', 'envelope sender of a revoked member',
    'envelope sender with the entry and key from before its rotation'],
  LAPSED: ['envelope sender of a lapsed practice'],
  DENIED: ['envelope sender whom a compromised key admitted',
    'envelope sender of a practice that a compromised key admitted'],
};

export function errorOf(v) {
  const other = Object.entries(OTHERS).find(([, names]) => names.includes(`${v.kind} ${v.name}`));
  return other?.[0] ?? ERRORS[v.step];
}
