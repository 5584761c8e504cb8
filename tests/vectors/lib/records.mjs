// Statements, logged statements and invitations of the vectors.

import { edKeys, fixed, inclusionProof, leafHash, sha256, treeRoot, x25519 } from './crypto.mjs';
import { makeNote, receiptsOrigin } from './checkpoint.mjs';
import { deliveredOf } from './bundles.mjs';
import { encodeInvite, armour } from './invite.mjs';
import { label } from './layout.mjs';
import { idOf, NETWORK, NOW, seedOf, START } from './network.mjs';
import {
  chainHead, encodeLogged, encodeStatement, receiptLeafData, signStatement,
} from './statement.mjs';

const ZERO = (n) => Buffer.alloc(n);

/** Fields of one statement of each fact, about the first bundle. */
export function statementFields(net, { x, sealed }) {
  const device = deliveredOf(net, x, sealed);
  const objects = x.objects.map((o) => o.object_id);
  const relay = {
    ...device, signer_member: ZERO(16), signer_device: idOf('relay'),
    signer_entry: net.entryOf('relay', 'relay'),
  };
  const segments = x.objects.reduce((n, o) => n + o.segments, 0);
  const mailboxes = x.recipients.map((r, i) => ({
    device_id: r.device_id, seq: BigInt(i + 1),
    chain_head: chainHead(fixed(`head before ${i}`, 32), BigInt(i + 1), x.header.envelope_id,
      sealed.e),
  }));
  const blind = { s: ZERO(32), manifest_hash: ZERO(64) };
  return [
    ['custody', { ...relay, objects: x.objects, mailboxes, incarnation: fixed('incarnation', 16),
      counter: 3n, stored_bytes: BigInt(sealed.envelope.length + 1048560 * segments),
      stored_until: x.header.expires }],
    ['delivered', device],
    ['delivered', { ...device, ...blind, result: 3 }],
    ['delivered', { ...device, result: 4, objects: objects.slice(1) }],
    ['opened', { ...device, prev: fixed('previous', 32), objects }],
    ['opened', { ...device, objects: [] }],
    ['acknowledged', { ...device, responsibility: 1, text: 'I take over — today.\n' }],
    ['outcome', { ...relay, recipient_device: idOf('c desk'), seq: 2n ** 64n - 1n, outcome: 2 }],
    ['ack', { ...device, seq: 7n }],
    ['withdraw', device],
    ['purged', { ...device, by: 2 }],
  ];
}

export const withLabel = (fact, v) => ({ ...v, label: label(`consil/${fact}`) });

export function makeStatement([fact, v]) {
  const statement = encodeStatement(fact, withLabel(fact, v));
  return { fact, fields: v, statement };
}

// Only what belongs to this fact: the vectors' fields are made by overlaying.
const COMMON = ['network_id', 'envelope_id', 'e', 'signer_member', 'signer_device', 'signer_entry',
  'time', 'seen', 'prev'];
const OWN = {
  custody: ['mailboxes', 'stored_bytes', 'stored_until', 'incarnation', 'counter'],
  delivered: ['s', 'manifest_hash', 'result', 'objects'],
  opened: ['s', 'manifest_hash', 'objects'],
  acknowledged: ['s', 'manifest_hash', 'responsibility', 'text'],
  outcome: ['recipient_device', 'seq', 'outcome'],
  ack: ['seq'],
  withdraw: [],
  purged: ['s', 'manifest_hash', 'by'],
};

function own({ fact, fields, statement }) {
  const rest = Object.fromEntries([...COMMON, ...OWN[fact]].map((k) => [k, fields[k]]));
  if (fact === 'custody')
    rest.objects = fields.objects.map(({ object_id, object_root }) => ({ object_id, object_root }));
  return { fact, fields: rest, statement, hash: sha256(statement) };
}

/** A receipt log of these statements; statement i as the relay answers it. */
export function logged(statements, i, over = {}) {
  const salts = statements.map((_, k) => fixed(`salt ${k}`, 32));
  const leaves = statements.map((s, k) => leafHash(receiptLeafData(salts[k], s)));
  const checkpoint = {
    origin: receiptsOrigin(NETWORK, idOf('relay')), size: BigInt(leaves.length),
    root: treeRoot(leaves), time: NOW + 6n, incarnation: fixed('incarnation', 16), counter: 3n,
    ...over.checkpoint,
  };
  const v = {
    statement: statements[i], salt: salts[i], index: BigInt(i), proof: inclusionProof(i, leaves),
    note: makeNote(checkpoint, over.seed ?? seedOf('relay')), ...over.logged,
  };
  return { ...v, checkpoint, leaf: leaves[i], bytes: encodeLogged(v) };
}

/** What statements.json holds. */
export function statementFacts(net, first) {
  const made = statementFields(net, first).map(makeStatement);
  const bytes = made.map((m) => m.statement);
  const ofRelay = [...made.keys()].filter((i) => ['custody', 'outcome'].includes(made[i].fact));
  return {
    about: 'statement: without signature; signed: statement ‖ signature of the key of `signer`.',
    signer: { seed: seedOf('smith desk'), key: edKeys(seedOf('smith desk')) },
    statements: made.map((m) => ({
      ...own(m), signed: signStatement(seedOf('smith desk'), m.statement),
    })),
    logged: ofRelay.map((i) => logged(bytes, i)),
    mailbox_chain: chainFacts(first),
  };
}

function chainFacts({ x, sealed }) {
  let head = ZERO(32);
  return [1n, 2n, 3n].map((seq) => {
    head = chainHead(head, seq, x.header.envelope_id, sealed.e);
    return { seq, envelope_id: x.header.envelope_id, e: sealed.e, head };
  });
}

export function inviteFields(net) {
  const entry = (seq) => net.log.raw[Number(seq)].subarray(16);
  return {
    network_id: NETWORK, relay_id: idOf('relay'), relay_noise_key: x25519(fixed('noise secret relay', 32)),
    relay_sign_key: edKeys(seedOf('relay')), expires: START + 86400n,
    relay_url: 'tcp://relay.example:7700', network_name: 'Vector Network', root_entry: entry(0),
    member_entry: entry(net.entryOf('member', 'a.smith@mayo')),
    enrol_seed: seedOf('enrol a.smith@mayo'),
  };
}

/** What invite.json holds. */
export function inviteFacts(net) {
  const fields = inviteFields(net);
  const binary = encodeInvite(fields);
  return { fields, binary, text: armour(binary, 'Please join our network.\n') };
}
