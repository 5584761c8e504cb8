// Bad vectors of everything that is not an envelope; see refused.mjs.

import { makeNote } from './checkpoint.mjs';
import { edSign, fixed, sha256 } from './crypto.mjs';
import { encodeCase } from './casefile.mjs';
import { encodeCore, encodeLeaf, NO_RECORD, NOBODY, signEntry } from './entry.mjs';
import { armour, encodeInvite } from './invite.mjs';
import { NONE, u16 } from './layout.mjs';
import {
  BAD, checkpointFields, deviceFields, EPOCH, idOf, keyOf, makeNetwork, memberFields, NETWORK, NOW,
  onceOf, organisationFields, pendingFields, rootSigners, rotateFields, SECOND, seedOf, START,
  waiverSigners,
} from './network.mjs';
import { inviteFields, logged, makeStatement, statementFields, withLabel } from './records.mjs';
import { encodeStatement, signStatement } from './statement.mjs';

const ascending = (...ids) => [...ids].sort(Buffer.compare);
const flip = (raw, at) => {
  const out = Buffer.from(raw);
  out[at < 0 ? raw.length + at : at] ^= 1;
  return out;
};
const vectors = (kind, list) => list.map(([name, step, bytes]) => ({ kind, name, step, bytes }));

// ----------------------------------------------------------------- statements

function statementFlaws(net, first) {
  const all = statementFields(net, first);
  const [custody, ok, bad, incomplete, opened, , ack, outcome, item] = all.map(([, v]) => v);
  const make = (fact, v, over) => encodeStatement(fact, withLabel(fact, { ...v, ...over }));
  const label = (fact, text, v) => encodeStatement(fact, { ...v, label: Buffer.from(text) });
  const zero = (n) => Buffer.alloc(n);
  const mailbox = custody.mailboxes;
  return vectors('statement', [
    ['unknown fact', label('ack', 'consil/acked\0', item)],
    ['label of another fact', label('opened', 'consil/delivered\0', opened)],
    ['label without NUL', label('ack', 'consil/ack', item)],
    ['custody of no mailbox', make('custody', custody, { mailboxes: [] })],
    ['custody rows descend', make('custody', custody, { mailboxes: [...mailbox].reverse() })],
    ['custody objects descend',
      make('custody', custody, { objects: [...custody.objects].reverse() })],
    ['mailbox sequence 0', make('custody', custody,
      { mailboxes: mailbox.map((m) => ({ ...m, seq: 0n })) })],
    ['result 0', make('delivered', ok, { result: 0 })],
    ['result 5', make('delivered', ok, { result: 5 })],
    ['ok, but objects missing', make('delivered', ok, { objects: incomplete.objects })],
    ['incomplete, but nothing missing', make('delivered', incomplete, { objects: [] })],
    ['undecryptable with hashes', make('delivered', bad,
      { result: 2, s: ok.s, manifest_hash: ok.manifest_hash })],
    ['opened objects repeat', make('opened', opened,
      { objects: [opened.objects[0], opened.objects[0]] })],
    ['1025 objects', make('opened', opened, { objects:
      ascending(...Array.from({ length: 1025 }, (_, i) => Buffer.concat([zero(14), u16.put(i)]))) })],
    ['responsibility 2', make('acknowledged', ack, { responsibility: 2 })],
    ['text too long', make('acknowledged', ack, { text: 'x'.repeat(4097) })],
    ['outcome 0', make('outcome', outcome, { outcome: 0 })],
    ['outcome 6', make('outcome', outcome, { outcome: 6 })],
    ['outcome of sequence 0', make('outcome', outcome, { seq: 0n })],
    ['ack of sequence 0', make('ack', item, { seq: 0n })],
    ['a withdrawal that says more', Buffer.concat([make('withdraw', ok), zero(1)])],
    ['trailing byte', Buffer.concat([make('ack', item), zero(1)])],
    ['one byte short', make('ack', item).subarray(0, -1)],
  ].map(([name, bytes]) => [name, 'layout', bytes]));
}

function signedFlaws(net, first) {
  const { statement } = makeStatement(statementFields(net, first)[1]);
  const good = signStatement(seedOf('smith desk'), statement);
  return vectors('signed', [
    ['signature changed', 'signature', flip(good, -40)],
    ['signed by another', 'signature', signStatement(seedOf('doe desk'), statement)],
    ['statement changed', 'signature', flip(good, statement.length - 100)],
    ['signature over its hash', 'signature',
      Buffer.concat([statement, edSign(seedOf('smith desk'), sha256(statement))])],
  ]);
}

function loggedFlaws(net, first) {
  const statements = statementFields(net, first).map((s) => makeStatement(s).statement);
  const good = logged(statements, 0);
  const last = statements.length - 1;
  const bad = (over, i = 0) => logged(statements, i, over).bytes;
  return vectors('logged', [
    ['another salt', 'proof', bad({ logged: { salt: fixed('another', 32) } })],
    ['another place', 'proof', bad({ logged: { index: 1n } })],
    ['place beyond the log', 'proof', bad({ logged: { index: BigInt(last) + 1n } })],
    ['proof cut', 'proof', bad({ logged: { proof: good.proof.slice(0, -1) } })],
    ['proof too long', 'proof', bad({ logged: { proof: [...good.proof, good.proof[0]] } })],
    ['proof changed', 'proof',
      bad({ logged: { proof: [flip(good.proof[0], 0), ...good.proof.slice(1)] } })],
    ['another root', 'proof', bad({ checkpoint: { root: fixed('another', 32) } })],
    ['checkpoint of another key', 'signature', bad({ seed: seedOf('doe desk') })],
    ['checkpoint of the directory', 'origin',
      bad({ checkpoint: { origin: checkpointFields(net).origin } })],
    ['proof of 65 hashes', 'layout', bad({ logged: { proof: Array(65).fill(good.proof[0]) } })],
    ['trailing byte', 'layout', Buffer.concat([good.bytes, Buffer.alloc(1)])],
  ]);
}

// -------------------------------------------------------------------- entries

const REGISTRAR = [[0, seedOf('registrar')]];

/** An entry that nobody can refuse but for what `over` changes. */
function entry(type, fields, signers = REGISTRAR, over = {}) {
  const core = encodeCore({
    type, time: 0n, subject: fixed('new', 16), prev: NONE, authority: idOf('registrar'), fields,
    ...over,
  });
  return signEntry(NETWORK, core, signers);
}

function rootFields(fields) {
  const keys = ['root a', 'root b', 'root c'].map(keyOf).sort(Buffer.compare);
  return { version: 3, threshold: 2, keys, name: 'Vector Network', ...fields };
}

function layoutFlaws() {
  const roster = { address: 'x@mayo', name: 'X', members: [] };
  const org = organisationFields('new');
  const smith = memberFields('a.smith@mayo');
  const batch = { first_epoch: 1n, count: 1, root: fixed('r', 32) };
  const device = deviceFields('new', 'a.smith@mayo', 1, 'new');
  const revoke = { reason: 1, compromised_since: 0n };
  const root = (fields) => entry('root', rootFields(fields), rootSigners(2, 0, 1));
  const good = entry('revoke', revoke);
  const typeByte = (n) => Buffer.concat([good.subarray(0, 1), Buffer.of(n), good.subarray(2)]);
  const core = encodeCore({ type: 'revoke', time: 0n, subject: idOf('x'), prev: NONE,
    authority: idOf('registrar'), fields: revoke });
  const longer = Buffer.concat([core.subarray(0, -11), u16.put(10), core.subarray(-9), Buffer.of(0)]);
  return [
    ['entry version 2', entry('revoke', revoke, REGISTRAR, { version: 2 }), 'version'],
    ['type 0', typeByte(0)],
    ['type 14', typeByte(14)],
    ['no signature', entry('revoke', revoke, [])],
    ['two signatures where one belongs', entry('group', roster, [...REGISTRAR, [1, seedOf('x')]])],
    ['key number 1', entry('group', roster, [[1, seedOf('registrar')]])],
    ['key number 2 of an organisation', entry('organisation', org, [...REGISTRAR, [2, seedOf('x')]])],
    ['key number 16 of a revoke', entry('revoke', revoke, [[16, seedOf('x')]])],
    ['trailing byte', Buffer.concat([good, Buffer.alloc(1)])],
    ['body longer than its type', signEntry(NETWORK, longer, REGISTRAR)],
    ['root version 0', root({ version: 0 })],
    ['threshold 0', root({ threshold: 0 })],
    ['threshold above the keys', root({ threshold: 4 })],
    ['root without keys', root({ keys: [] })],
    ['root keys descend', root({ keys: rootFields().keys.reverse() })],
    ['root name empty', root({ name: '' })],
    ['root signatures descend', entry('root', rootFields(), rootSigners(2, 0, 1).reverse())],
    ['root key number 16', entry('root', rootFields(), [[16, seedOf('x')]])],
    ['policy rules descend',
      entry('policy', { rules: [{ key: 2, value: 0n }, { key: 1, value: 0n }] },
        rootSigners(2, 0, 1))],
    ['unknown policy', entry('policy', { rules: [{ key: 4, value: 0n }] }, rootSigners(2, 0, 1))],
    ['policy signed by key 128', entry('policy', { rules: [] },
      [...rootSigners(2, 0, 1), [128, seedOf('x')]])],
    ['handle in capitals', entry('organisation', { ...org, handle: 'New' })],
    ['handle ends in a dot', entry('organisation', { ...org, handle: 'new.' })],
    ['handle of 64', entry('organisation', { ...org, handle: 'a'.repeat(64) })],
    ['decision 4', entry('organisation', { ...org, decision: 4 })],
    ['name of 201 bytes', entry('organisation', { ...org, name: 'é'.repeat(100) + 'e' })],
    ['name not UTF-8', replaceHex(entry('organisation', { ...org, name: 'Ne\u00e9' }), 'c3a9', 'c0a9')],
    ['name with NUL', entry('organisation', { ...org, name: 'N\0w' })],
    ['address without a local part',
      entry('member', { ...memberFields('a.smith@mayo'), address: '@mayo' })],
    ['role of 201 bytes', entry('member', { ...smith, role: 'r'.repeat(201) })],
    ['conditional without a co-registrar', entry('organisation', { ...org, decision: 2 })],
    ['admitted with a co-registrar', entry('organisation', { ...org, co_registrar: idOf(SECOND) })],
    ['refused with a co-registrar',
      entry('organisation', { ...org, decision: 3, co_registrar: idOf(SECOND) })],
    ['admitted without a vetting record',
      entry('organisation', { ...org, vetting_hash: NO_RECORD })],
    ['conditional without a vetting record',
      entry('organisation',
        { ...org, decision: 2, co_registrar: idOf(SECOND), vetting_hash: NO_RECORD })],
    ['NPI with a wrong check digit', entry('member', { ...smith, npi: '1234567890' })],
    ['NPI with two digits changed over', entry('member', { ...smith, npi: '1243567893' })],
    ['NPI that begins with 3', entry('member', { ...smith, npi: '3000000001' })],
    ['NPI of nine digits', entry('member', { ...smith, npi: '123456789' })],
    ['NPI of eleven digits', entry('member', { ...smith, npi: '12345678930' })],
    ['NPI with a blank', entry('member', { ...smith, npi: ' 123456789' })],
    ['specialty of 201 bytes', entry('member', { ...smith, specialty: 's'.repeat(201) })],
    ['licence state of 41 bytes', entry('member', { ...smith, licence_state: 's'.repeat(41) })],
    ['licence number of 41 bytes', entry('member', { ...smith, licence_number: '1'.repeat(41) })],
    ['specialty with NUL', entry('member', { ...smith, specialty: 'a\0' })],
    ['device kind 3', entry('device', { ...device, kind: 3 })],
    ['batch of none', entry('epoch-batch', { ...batch, count: 0 })],
    ['batch of 27', entry('epoch-batch', { ...batch, count: 27 })],
    ['first epoch 2^32', entry('epoch-batch', { ...batch, first_epoch: 2n ** 32n })],
    ['a member twice', entry('group', { ...roster, members: [idOf('x'), idOf('x')] })],
    ['roster descends',
      entry('service', { ...roster, members: ascending(idOf('x'), idOf('y')).reverse() })],
    ['reason 6', entry('revoke', { ...revoke, reason: 6 })],
    ['relay without an address', entry('relay',
      { noise_key: fixed('n', 32), sign_key: fixed('s', 32), url: '' })],
  ];
}

// raw with the first run of hex `from` replaced by `to`.
function replaceHex(raw, from, to) {
  const at = raw.indexOf(Buffer.from(from, 'hex'));
  if (at < 0) throw new Error(`no ${from} here`);
  return Buffer.concat([raw.subarray(0, at), Buffer.from(to, 'hex'),
    raw.subarray(at + from.length / 2)]);
}

function entryFlaws() {
  return vectors('entry', layoutFlaws().map(([n, bytes, step = 'layout']) => [n, step, bytes]));
}

function dated(log, clock) {
  const entry = log.make('witness', idOf('w'), idOf('registrar'), { key: keyOf('w'), name: 'W' },
    REGISTRAR);
  return encodeLeaf(BigInt(log.raw.length), clock, entry);
}

// Well-formed leaves that the log of network.json must not take next.
function leafFlaws(net) {
  const { log } = net;
  const reg = (type, name, fields, over = {}, signers = REGISTRAR) =>
    log.leaf(log.make(type, idOf(name), idOf('registrar'), fields, signers, over));
  const own = (type, name, fields, over = {}, signers = [[0, seedOf(name)]]) =>
    log.leaf(log.make(type, idOf(name), idOf(name), fields, signers, over));
  const enrol = (device, member, signer) =>
    log.leaf(log.make('device', idOf(device), idOf(member), deviceFields(device, member, 1, 'n'),
      [[0, seedOf(signer)]]));
  const root = (fields, ...signers) =>
    log.leaf(log.make('root', idOf('root'), idOf('root'), rootFields(fields), signers));
  const batch = { first_epoch: EPOCH + 26n, count: 1, root: fixed('r', 32) };
  const smith = memberFields('a.smith@mayo');
  const witness = { key: keyOf('w'), name: 'W' };
  const old = rootSigners(2, 0, 1).map(([n, seed]) => [n + 128, seed]);
  const fresh = (...places) =>
    places.map((i) => [i, seedOf(['root a', 'root b', 'root c']
      .sort((a, b) => Buffer.compare(keyOf(a), keyOf(b)))[i])]);
  const second = (fields, over = {}) => log.leaf(log.make('device', idOf('new'), idOf('smith desk'),
    { ...pendingFields('new', 'a.smith@mayo'), ...fields }, [[0, seedOf('smith desk')]], over));
  const phone = (type, name, fields) => log.leaf(log.make(type, idOf(name), idOf('smith phone'),
    fields, [[0, seedOf(onceOf('smith phone'))]]));
  const byRoot = (name, signers) => log.leaf(log.make('revoke', idOf(name), idOf('root'),
    { reason: 3, compromised_since: 0n }, signers));
  const flaws = vectors('leaf', [
    ['sequence skips', 'order', log.leaf(log.make('witness', idOf('w'), idOf('registrar'),
      witness, REGISTRAR), BigInt(log.raw.length) + 1n)],
    ['previous entry left out', 'order', reg('witness', 'witness', witness, { prev: NONE })],
    ['previous entry of nothing', 'order', reg('witness', 'w', witness, { prev: 3n })],
    ['signature of another network', 'signature',
      reg('witness', 'w', witness, { network: fixed('other', 32) })],
    ['signature of another key', 'signature', reg('witness', 'w', witness, {}, [[0, seedOf('x')]])],
    ['a device admits a member', 'authority',
      log.leaf(log.make('member', idOf('a.smith@mayo'), idOf('smith desk'), smith,
        [[0, seedOf('smith desk')]]))],
    ['enrolment key used again', 'used', enrol('new', 'a.smith@mayo', 'enrol a.smith@mayo')],
    ['device by a device of another', 'authority',
      log.leaf(log.make('device', idOf('new'), idOf('doe desk'),
        pendingFields('new', 'a.smith@mayo'), [[0, seedOf('doe desk')]]))],
    ['device of no member', 'authority', enrol('new', 'nobody@mayo', 'x')],
    ['batch of a revoked device', 'revoked', own('epoch-batch', 'doe laptop', batch)],
    ['batch under the key before rotation', 'signature', own('epoch-batch', 'smith laptop', batch)],
    ['batch for another device', 'authority',
      log.leaf(log.make('epoch-batch', idOf('smith desk'), idOf('doe desk'), batch,
        [[0, seedOf('doe desk')]]))],
    ['dated before the last leaf', 'layout', dated(log, log.clock - 61n)],
    ['subject of another kind', 'order', reg('witness', 'relay', witness, { prev: NONE })],
    ['rotation of an unknown device', 'missing', reg('device-rotate', 'unknown',
      { sign_key: keyOf('n'), proof: Buffer.alloc(64) })],
    ['a device entered twice', 'order', log.leaf(log.make('device', idOf('smith desk'),
      idOf('smith laptop'), pendingFields('smith desk', 'a.smith@mayo'),
      [[0, seedOf('smith laptop 2')]]))],
    ['batch goes back', 'order', own('epoch-batch', 'smith desk', { ...batch, first_epoch: EPOCH })],
    ['batch too far ahead', 'layout',
      own('epoch-batch', 'smith desk', { ...batch, first_epoch: EPOCH + 30n })],
    ['member of another practice than its address', 'authority', reg('member', 'new member',
      { ...smith, address: 'new@mnoncology' })],
    ['member of no practice', 'missing', reg('member', 'new member',
      { ...smith, organisation: idOf('none'), address: 'new@mayo' })],
    ['roster of no practice', 'missing', reg('group', 'new',
      { address: 'x@none', name: 'X', members: [] })],
    ['roster of nobody known', 'missing', reg('group', 'new',
      { address: 'x@mayo', name: 'X', members: [idOf('nobody')] })],
    ['the root revoked', 'authority', reg('revoke', 'root', { reason: 3, compromised_since: 0n })],
    ['a member after its revocation', 'revoked', reg('member', 'e@mnoncology',
      memberFields('e@mnoncology'))],
    ['address changes', 'order', reg('member', 'a.smith@mayo', { ...smith, address: 'b@mayo' })],
    ['invitation past already', 'expired', reg('member', 'new member',
      { ...smith, address: 'new@mayo', enrol_expires: log.clock - 1n })],
    ['address of another member', 'name',
      reg('member', 'new member', { ...smith, enrol_key: keyOf('e') })],
    ['rotation without proof', 'signature', own('device-rotate', 'smith desk',
      { sign_key: keyOf('n'), proof: Buffer.alloc(64) })],
    ['device revokes another', 'authority',
      log.leaf(log.make('revoke', idOf('smith desk'), idOf('doe desk'),
        { reason: 3, compromised_since: 0n }, [[0, seedOf('doe desk')]]))],
    ['device revokes what another member invited', 'authority',
      log.leaf(log.make('revoke', idOf('smith phone'), idOf('doe desk'),
        { reason: 4, compromised_since: 0n }, [[0, seedOf('doe desk')]]))],
    ['device ends itself in the past', 'authority', own('revoke', 'doe desk',
      { reason: 3, compromised_since: log.clock - 1n })],
    ['root without the previous version', 'quorum', root({}, ...fresh(0, 1))],
    ['root with one key of the previous version', 'quorum', root({}, ...fresh(0, 1), old[0])],
    ['root with one key of its own', 'quorum', root({}, ...fresh(0), ...old)],
    ['root version skipped', 'order', root({ version: 4 }, ...fresh(0, 1), ...old)],
    ['policy by keys of the root before', 'signature',
      log.leaf(log.make('policy', idOf('root'), idOf('root'), { rules: [] }, rootSigners(1, 0, 1)))],
    ['second device that is not invited', 'authority', second({ enrol_expires: 0n })],
    ['second device of a person for the archive', 'authority', second({ kind: 2 })],
    ['batch of a pending device', 'authority', phone('epoch-batch', 'smith phone', batch)],
    ['pending device revokes itself', 'authority', phone('revoke', 'smith phone',
      { reason: 1, compromised_since: 0n })],
    ['pending device invites another', 'authority',
      phone('device', 'new', pendingFields('new', 'a.smith@mayo'))],
    ['first change of key by the new key', 'signature', log.leaf(log.make('device-rotate',
      idOf('smith phone'), idOf('smith phone'),
      rotateFields('smith phone', 'smith phone', onceOf('smith phone')),
      [[0, seedOf('smith phone')]]))],
    ['change of key proved for the device of another', 'signature', phone('device-rotate',
      'smith phone', rotateFields('smith laptop', 'smith phone', onceOf('smith phone')))],
    ['one-time key changed again', 'order', log.leaf(log.make('device-rotate',
      idOf('smith laptop'), idOf('smith laptop'),
      rotateFields('smith laptop', 'x', onceOf('smith laptop')),
      [[0, seedOf(onceOf('smith laptop'))]], { prev: NONE }))],
    ['rotation by the one-time key', 'signature', log.leaf(log.make('device-rotate',
      idOf('smith laptop'), idOf('smith laptop'),
      rotateFields('smith laptop', 'x', onceOf('smith laptop')),
      [[0, seedOf(onceOf('smith laptop'))]]))],
    ['a person becomes the archive', 'authority', reg('member', 'a.smith@mayo',
      { ...smith, role: 'archive' })],
    ['the archive becomes a person', 'authority', reg('member', 'archive@mayo',
      { ...memberFields('archive@mayo'), role: 'archive, physician' })],
    ['the root revokes a member', 'authority', byRoot('a.smith@mayo', rootSigners(2, 0, 1))],
    ['the root revokes itself', 'authority', byRoot('root', rootSigners(2, 0, 1))],
    ['the root revokes a registrar by one key', 'quorum', byRoot(SECOND, rootSigners(2, 1))],
    ['the root revokes a registrar by keys before', 'signature', byRoot(SECOND, rootSigners(1, 0, 1))],
    ['a registrar revokes another', 'authority', reg('revoke', SECOND,
      { reason: 3, compromised_since: 0n })],
    ['a revoked registrar signs', 'revoked', log.leaf(log.make('witness', idOf('w'), idOf(BAD),
      witness, [[0, seedOf(BAD)]]))],
    ['a revoked registrar entered anew', 'revoked', log.leaf(log.make('registrar', idOf(BAD),
      idOf('root'), { key: keyOf('w'), valid_until: NOW, name: 'N' }, rootSigners(2, 0, 1)))],
    ['revocation by key number 1', 'authority', reg('revoke', 'doe desk',
      { reason: 3, compromised_since: 0n }, {}, [[1, seedOf('registrar')]])],
    ['revocation by two', 'authority', reg('revoke', 'doe desk',
      { reason: 3, compromised_since: 0n }, {}, waiverSigners())],
    ['device of a member whom a compromised key admitted', 'authority',
      own('epoch-batch', 'f desk', batch)],
    ['invitation by a compromised key', 'authority', enrol('new', 'i@mnoncology',
      'enrol i@mnoncology')],
    ['member of a practice that a compromised key admitted', 'authority',
      reg('member', 'new member', memberFields('new@tainted'))],
    ['device of a practice that a compromised key admitted', 'authority',
      log.leaf(log.make('device', idOf('new'), idOf('h desk'), pendingFields('new', 'h@tainted'),
        [[0, seedOf('h desk')]]))],
    ...waiverFlaws(log),
  ]);
  return [...flaws.map((v) => ({ ...v, after: [] })), ...laterFlaws()];
}

function waiverFlaws(log) {
  const make = (fields, signers) => log.leaf(log.make('organisation', idOf('new'), idOf('registrar'),
    organisationFields('new', { decision: 2, co_registrar: idOf(SECOND), ...fields }), signers));
  const by = (name) => ({ co_registrar: idOf(name) });
  return [
    ['waiver by one', 'authority', make({}, REGISTRAR)],
    ['waiver by the second alone', 'authority', make({}, [[1, seedOf(SECOND)]])],
    ['waiver by the same twice', 'authority', make(by('registrar'), waiverSigners('registrar'))],
    ['waiver with a member beside', 'authority', make(by('a.smith@mayo'),
      waiverSigners('enrol a.smith@mayo'))],
    ['waiver with nobody beside', 'authority', make(by('nobody'), waiverSigners('nobody'))],
    ['waiver with a revoked registrar beside', 'revoked', make(by(BAD), waiverSigners(BAD))],
    ['waiver with the key of another beside', 'signature', make({}, waiverSigners('registrar'))],
    ['waiver, the first signature by another', 'signature',
      make({}, [[0, seedOf('x')], [1, seedOf(SECOND)]])],
    ['waiver not needed', 'authority', make({ decision: 1, co_registrar: NOBODY }, waiverSigners())],
  ];
}

// Leaves that the log takes no more after some others, which it takes.
function laterFlaws() {
  const revoked = { reason: 4, compromised_since: 0n };
  const flaw = (name, step, last, ...before) => {
    const { log } = makeNetwork();
    const after = before.map((add) => log.raw[Number(add(log))]);
    return { kind: 'leaf', name, step, after, bytes: last(log) };
  };
  const inviteNew = (address, role) => (log) =>
    log.byRegistrar('member', address, { ...memberFields(address), role });
  const enrolNew = (address, fields) => (log) => log.leaf(log.make('device', idOf('new'),
    idOf(address), { ...deviceFields('new', address, 1, 'n'), ...fields },
    [[0, seedOf(`enrol ${address}`)]]));
  const late = (time, last) => (log) => {
    log.clock = time;
    return last(log);
  };
  const phone = (log) => log.leaf(log.make('device-rotate', idOf('smith phone'), idOf('smith phone'),
    rotateFields('smith phone', 'smith phone', onceOf('smith phone')),
    [[0, seedOf(onceOf('smith phone'))]]));
  const lapsed = (log) => log.leaf(log.make('member', idOf('l@lapsed'), idOf('registrar'),
    memberFields('l@lapsed', 0n), REGISTRAR));
  const secondEnds = (log) => log.add('registrar', idOf(SECOND), idOf('root'),
    { key: keyOf(SECOND), valid_until: log.clock, name: 'S' }, rootSigners(2, 0, 1));
  const waiver = (log) => log.leaf(log.make('organisation', idOf('new'), idOf('registrar'),
    organisationFields('new', { decision: 2, co_registrar: idOf(SECOND) }), waiverSigners()));
  const stolen = (log) => log.byRegistrar('revoke', 'smith desk',
    { reason: 3, compromised_since: START });
  const ofStolen = (log) => log.leaf(log.make('epoch-batch', idOf('smith laptop'),
    idOf('smith laptop'), { first_epoch: EPOCH + 7n, count: 1, root: fixed('r', 32) },
    [[0, seedOf('smith laptop 2')]]));
  const addPhone = (log) => log.rotate('smith phone', 'smith phone', onceOf('smith phone'));
  const invited = (log) => log.leaf(log.make('device', idOf('rogue'), idOf('c_3@mayo'),
    deviceFields('rogue', 'c_3@mayo', 1, 'n'), [[0, seedOf('enrol again')]]));
  const inviteAgain = (log) => log.byRegistrar('member', 'c_3@mayo',
    { ...memberFields('c_3@mayo'), enrol_key: keyOf('enrol again') });
  const laptop = (i) => [idOf(`laptop ${i}`), idOf('doe desk'),
    pendingFields(`laptop ${i}`, 'j.doe@mnoncology'), [[0, seedOf('doe desk')]]];
  const addLaptop = (i) => (log) => log.add('device', ...laptop(i));
  const openLaptop = (i) => (log) => log.rotate(`laptop ${i}`, `laptop ${i}`, onceOf(`laptop ${i}`));
  const removeLaptop = (i) => (log) => log.byDevice('revoke', `laptop ${i}`, revoked);
  const oneMore = (log) => log.leaf(log.make('device', ...laptop(99)));
  const laptops = (n) => Array.from({ length: n }, (_, i) => i);
  return [
    flaw('device by invitation of a member who has one', 'used', invited, inviteAgain),
    flaw('17th device of a member', 'limit', oneMore, ...laptops(15).map(addLaptop)),
    // "doe desk" and "doe laptop" signed two entries each when the network was made
    flaw('33rd entry of a member in a day', 'limit', oneMore, addLaptop(98),
      ...laptops(9).flatMap((i) => [addLaptop(i), openLaptop(i), removeLaptop(i)])),
    flaw('pending device changes its key too late', 'expired', late(START + 86401n, phone)),
    flaw('pending device changes its key twice', 'signature', phone, addPhone),
    flaw('pending device after the one that invited it was stolen', 'authority', phone, stolen),
    flaw('device after the one that invited it was stolen', 'authority', ofStolen, stolen),
    flaw('invited device with a time to change its key', 'authority',
      enrolNew('new@mayo', { enrol_expires: START + 86400n }), inviteNew('new@mayo', '')),
    flaw('device of a person for the archive', 'authority', enrolNew('new@mayo', { kind: 2 }),
      inviteNew('new@mayo', 'archive, physician')),
    flaw('personal device of the archive', 'authority', enrolNew('new@mayo', {}),
      inviteNew('new@mayo', 'archive')),
    flaw('member of a lapsed practice', 'lapsed', late(NOW, lapsed)),
    flaw('waiver with a registrar beside whose time is over', 'expired', waiver, secondEnds),
  ];
}

// ---------------------------------------------------------------- checkpoints

// The last digit of 32 bytes in base64 has two bits that no byte uses.
function looseBits(text) {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  return `${text.slice(0, 42)}${digits[digits.indexOf(text[42]) | 1]}=`;
}

function checkpointFlaws(net) {
  const c = checkpointFields(net);
  const seed = seedOf('relay');
  const good = makeNote(c, seed).toString();
  const change = (from, to) => Buffer.from(good.replace(from, to));
  const lines = good.split('\n');
  const signed = lines[6].split(' ');
  const raw = Buffer.from(signed[2], 'base64');
  const resigned = (b) => change(signed[2], b.toString('base64'));
  return vectors('checkpoint', [
    ['size with a leading zero', 'layout', makeNote({ ...c, size: `0${c.size}` }, seed)],
    ['size 2^64', 'layout', makeNote({ ...c, size: 2n ** 64n }, seed)],
    ['size with a sign', 'layout', makeNote({ ...c, size: `+${c.size}` }, seed)],
    ['root of 31 bytes', 'layout', makeNote({ ...c, root: c.root.subarray(1) }, seed)],
    ['root of 33 bytes', 'layout', makeNote({ ...c, root: Buffer.concat([c.root, Buffer.of(0)]) }, seed)],
    ['a sixth line', 'layout', makeNote({ ...c, counter: `${c.counter}\nmore` }, seed)],
    ['incarnation in capitals', 'layout', change(/incarnation [0-9a-f]+/, (s) =>
      `incarnation ${s.slice(12).toUpperCase()}`)],
    ['lines end in CR', 'layout', change(/\n/g, '\r\n')],
    ['no line end', 'layout', Buffer.from(good.slice(0, -1))],
    ['no signature', 'layout', Buffer.from(`${lines.slice(0, 6).join('\n')}\n`)],
    ['no empty line', 'layout', change('\n\n', '\n')],
    ['signature with a hyphen', 'layout', change('\u2014', '-')],
    ['base64 without padding', 'layout', change(/=+\n$/, '\n')],
    ['base64 with loose bits', 'layout', change(lines[2], looseBits(lines[2]))],
    ['longer than 4096', 'layout', Buffer.from(good + lines[6].concat('\n').repeat(30))],
    ['another size', 'signature', change(`\n${c.size}\n`, `\n${c.size + 1n}\n`)],
    ['another time', 'signature', change(`time ${c.time}`, `time ${c.time + 1n}`)],
    ['signed by another', 'signature', makeNote(c, seedOf('doe desk'))],
    ['signature changed', 'signature', resigned(flip(raw, -1))],
    ['another key hash', 'signature', resigned(flip(raw, 0))],
    ['another key name', 'signature', change(signed[1] + ' ' + signed[2], `x ${signed[2]}`)],
    ['another origin', 'origin', makeNote({ ...c, origin: 'consil/other' }, seed)],
  ]);
}

// --------------------------------------------------- invitations, case files

function inviteFlaws(net) {
  const f = inviteFields(net);
  const good = encodeInvite(f);
  const text = armour(good, 'Hello.');
  const summed = (raw) => Buffer.concat([raw, sha256(raw)]);
  return [
    ...vectors('invite', [
      ['magic', encodeInvite({ ...f, magic: Buffer.from('CSI3') })],
      ['checksum', flip(good, -1)],
      ['trailing byte', summed(Buffer.concat([good.subarray(0, -32), Buffer.alloc(1)]))],
      ['no address', encodeInvite({ ...f, relay_url: '' })],
      ['no name', encodeInvite({ ...f, network_name: '' })],
      ['name of 201 bytes', encodeInvite({ ...f, network_name: 'n'.repeat(201) })],
      ['no member entry', encodeInvite({ ...f, member_entry: Buffer.alloc(0) })],
      ['ends early', summed(good.subarray(0, -33))],
    ].map(([n, b]) => [n, 'layout', b])),
    ...vectors('armour', [
      ['no BEGIN', text.replace(/BEGIN/, 'BEGUN')],
      ['no END', text.replace(/-----END.*/, '')],
      ['BEGIN in a line', text.replace(/-----BEGIN/, 'x-----BEGIN')],
      ['blank in the base64', text.replace(/(\n[A-Za-z0-9+/]{10})/, '$1 ')],
      ['END before BEGIN', text.replace('BEGIN', 'X').replace('END', 'BEGIN').replace('X', 'END')],
      ['a digit left out', text.replace(/\n[A-Za-z0-9+/]/, '\n')],
      ['url-safe base64', text.replace(/\n([A-Za-z0-9+/]{64})\n/, (s) => s.replace(/[A-Z]/, '_'))],
    ].map(([n, t]) => [n, 'layout', Buffer.from(t)])),
  ];
}

const NO_PATIENT = { birth_date: '', id: '', id_issuer: '', name: '', sex: '' };
const CASE = { imaging: [], note: 'n', patient: NO_PATIENT, question: 'q', subject: 's', urgency: 'routine', version: 1 };

function study(over = {}, instance = {}) {
  return {
    accession: '', accession_issuer: '', date: '', description: '', key_images: [], patient: NO_PATIENT,
    retrieve: '', root: Buffer.alloc(32),
    uid: '1.2', series: [{ body_part: '', description: '', modality: 'CT', uid: '1.2.3', instances: [
      { bytes: 0, class: '1.2', object: Buffer.alloc(16), sha256: Buffer.alloc(32), uid: '1.2.4', ...instance },
    ] }], ...over,
  };
}

function caseFlaws() {
  const good = encodeCase(CASE);
  const { note, ...noNote } = CASE;
  const make = (over) => encodeCase({ ...CASE, ...over });
  const images = (over, instance) => make({ imaging: [study(over, instance)] });
  const [NOTE, QUESTION, SUBJECT] = ['note', 'question', 'subject'].map((k) =>
    Buffer.concat([encodeCase(k), encodeCase(CASE[k])]).toString('hex'));
  return vectors('casefile', [
    ['a key missing', encodeCase(noNote)],
    ['an unknown key', make({ zeal: 1 })],
    ['version 2', make({ version: 2 }), 'version'],
    ['urgency of a receipt', make({ urgency: 'receipt' })],
    ['keys descend', replaceHex(good, QUESTION + SUBJECT, SUBJECT + QUESTION)],
    ['a key twice', replaceHex(replaceHex(good, '87a7', '88a7'), SUBJECT, SUBJECT + SUBJECT)],
    ['key of longer form', replaceHex(good, QUESTION, `d908${QUESTION.slice(2)}`)],
    ['version of longer form', Buffer.concat([good.subarray(0, -1), Buffer.from('cc01', 'hex')])],
    ['version as float', Buffer.concat([good.subarray(0, -1), Buffer.from('ca3f800000', 'hex')])],
    ['note is nil', replaceHex(good, NOTE, NOTE.replace(/a16e$/, 'c0'))],
    ['note empty', make({ note: '' })],
    ['note is bin', make({ note: Buffer.from('n') })],
    ['note not UTF-8', replaceHex(good, NOTE, NOTE.replace(/6e$/, 'ff'))],
    ['note with NUL', make({ note: 'n\0' })],
    ['question too long', make({ question: 'x'.repeat(4001) })],
    ['subject too long', make({ subject: 'x'.repeat(401) })],
    ['trailing byte', Buffer.concat([good, Buffer.alloc(1)])],
    ['one byte short', good.subarray(0, -1)],
    ['65 studies', make({ imaging: Array.from({ length: 65 }, () => study({ series: [] })) })],
    ['UID with a leading zero', images({ uid: '1.02' })],
    ['UID with an empty component', images({ uid: '1..2' })],
    ['UID ends in a dot', images({ uid: '1.2.' })],
    ['UID of 65', images({ uid: `1.${'2'.repeat(63)}` })],
    ['UID of letters', images({}, { uid: '1.a' })],
    ['object of 15 bytes', images({}, { object: Buffer.alloc(15) })],
    ['hash as text', images({}, { sha256: 'x'.repeat(32) })],
    ['patient name too long', images({ patient: { ...NO_PATIENT, name: 'x'.repeat(401) } })],
    ['patient without sex', make({ patient: { birth_date: '', id: '', id_issuer: '', name: '' } })],
    ['retrieve URL too long', images({ retrieve: 'x'.repeat(1001) })],
    ['root of a study without hashes', images({ root: Buffer.alloc(32, 1) })],
    ['no root of a study with hashes', images({}, { sha256: Buffer.alloc(32, 1) })],
    ['more bytes than an object has', images({}, { bytes: 2 ** 36 + 1 })],
    ['key image without a UID', images({ key_images: [{ note: '', title: '', uid: '' }] })],
  ].map(([name, bytes, step = 'layout']) => [name, step, bytes]));
}

export function refusedRecords(net, first) {
  return [
    ...statementFlaws(net, first), ...signedFlaws(net, first), ...loggedFlaws(net, first),
    ...entryFlaws(), ...leafFlaws(net), ...checkpointFlaws(net), ...inviteFlaws(net),
    ...caseFlaws(),
  ];
}

