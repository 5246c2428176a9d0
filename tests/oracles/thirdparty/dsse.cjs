// Verifies entries' envelopes with @sigstore/core: node dsse.cjs MODULE DIR. Every changed part must be refused.
const fs = require("fs");
const path = require("path");
const { crypto, dsse } = require(path.resolve(process.argv[2]));
const place = process.argv[3];

const keys = {};
for (const name of fs.readdirSync(path.join(place, "keys")).filter((name) => name.endsWith(".pem"))) {
  keys[name.slice(0, -4)] = crypto.createPublicKey(fs.readFileSync(path.join(place, "keys", name), "utf8"));
}

function holds(type, body, sig, key) {
  return key !== undefined && crypto.verify(dsse.preAuthEncoding(type, body), key, sig);
}

function flipped(bytes, at) {
  const changed = Buffer.from(bytes);
  changed[at] ^= 1;
  return changed;
}

function need(truth, what) {
  if (!truth) throw new Error(`thirdparty: @sigstore/core: ${what}`);
}

let good = 0;
let refused = 0;
for (const name of fs.readdirSync(path.join(place, "envelopes"))) {
  const envelope = JSON.parse(fs.readFileSync(path.join(place, "envelopes", name), "utf8"));
  const type = envelope.payloadType;
  const body = Buffer.from(envelope.payload, "base64");
  const { keyid, sig: text } = envelope.signatures[0];
  const sig = Buffer.from(text, "base64");
  const key = keys[keyid];
  need(holds(type, body, sig, key), `${name} does not hold`);
  good += 1;
  const others = Object.keys(keys).filter((other) => other !== keyid);
  need(others.length > 0, "there is one key only");
  const mutants = [
    [type.replace("v1", "v2"), body, sig, key],
    [type + " ", body, sig, key],
    [type, body.subarray(1), sig, key],
    [type, body, sig.subarray(1), key],
    ...others.map((other) => [type, body, sig, keys[other]]),
    ...[...body.keys()].map((at) => [type, flipped(body, at), sig, key]),
    ...[...sig.keys()].map((at) => [type, body, flipped(sig, at), key]),
  ];
  for (const mutant of mutants) need(!holds(...mutant), `${name} holds, changed`);
  refused += mutants.length;
}
need(good > 0, "there are no envelopes");
console.log(`thirdparty: @sigstore/core: ${good} envelopes hold, ${refused} changed ones are refused`);
