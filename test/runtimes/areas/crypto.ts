// Cryptography: in this thread, through the pool, and Web Crypto.
import assert from 'node:assert/strict';
import * as crypto from 'node:crypto';
import { promisify } from 'node:util';
import { inBoth } from '../support.js';

const { subtle } = crypto.webcrypto;

async function exercise(): Promise<void> {
  const pbkdf2 = promisify(crypto.pbkdf2);
  const scrypt = promisify(crypto.scrypt);
  const derived = await Promise.all(Array.from({ length: 12 }, () => pbkdf2('secret', 'salt', 5000, 32, 'sha256')));
  const expected = crypto.pbkdf2Sync('secret', 'salt', 5000, 32, 'sha256');
  for (const key of derived) assert.ok(key.equals(expected));
  assert.ok(((await scrypt('secret', 'salt', 32)) as Buffer).equals(crypto.scryptSync('secret', 'salt', 32)));
  assert.equal((await promisify(crypto.hkdf)('sha256', 'key', 'salt', 'info', 42)).byteLength, 42);

  const { privateKey, publicKey } = await promisify(crypto.generateKeyPair)('rsa', { modulusLength: 1024 });
  const signature = crypto.sign('sha256', expected, privateKey);
  assert.equal(crypto.verify('sha256', expected, publicKey, signature), true);

  const iv = crypto.randomBytes(12);
  const cipher = crypto.createCipheriv('aes-256-gcm', expected, iv);
  const sealed = Buffer.concat([cipher.update('text'), cipher.final()]);
  const decipher = crypto.createDecipheriv('aes-256-gcm', expected, iv).setAuthTag(cipher.getAuthTag());
  assert.equal(decipher.update(sealed, undefined, 'utf8') + decipher.final('utf8'), 'text');
  assert.throws(() => crypto.createHash('no such hash'), /not supported/);

  const [alice, bob] = [crypto.createECDH('prime256v1'), crypto.createECDH('prime256v1')];
  alice.generateKeys();
  bob.generateKeys();
  assert.ok(alice.computeSecret(bob.getPublicKey()).equals(bob.computeSecret(alice.getPublicKey())));

  const key = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt', 'decrypt']);
  const box = await subtle.encrypt({ name: 'AES-GCM', iv }, key, new Uint8Array(expected));
  assert.ok(Buffer.from(await subtle.decrypt({ name: 'AES-GCM', iv }, key, box)).equals(expected));
  const pair = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const signed = await subtle.sign(algorithm, pair.privateKey, new Uint8Array(expected));
  assert.equal(await subtle.verify(algorithm, pair.publicKey, signed, new Uint8Array(expected)), true);
}

await exercise();
const hash = crypto.createHash('sha256').update('before ');
await inBoth(async () => {
  assert.equal(hash.update('after').digest('hex'), crypto.createHash('sha256').update('before after').digest('hex'));
  await exercise();
});
