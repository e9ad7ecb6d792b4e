// Random values of every kind that Node offers, drawn to be compared between processes. Doesn't load the package: a
// Worker draws them, too.
import crypto from 'node:crypto';
import { promisify } from 'node:util';

/** Of each kind, more than Node and V8 have in store of it. */
export type Draws = Record<string, string[]>;

const publicKey = () =>
  crypto.generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'der' }).toString('hex');

const SOURCES: Record<string, [count: number, draw: () => unknown]> = {
  'Math.random': [300, Math.random],
  randomUUID: [300, () => crypto.randomUUID()],
  randomInt: [2500, () => crypto.randomInt(2 ** 48 - 1)],
  // OpenSSL has a generator for these two, and another one for keys; each thread has both of its own.
  randomBytes: [10, () => crypto.randomBytes(16).toString('hex')],
  getRandomValues: [10, () => crypto.webcrypto.getRandomValues(new BigUint64Array(2)).join()],
  key: [10, publicKey],
  // As many as it takes to reach each thread of the pool.
  'randomBytes in the pool': [64, async () => (await promisify(crypto.randomBytes)(16)).toString('hex')],
  'key in the pool': [
    32,
    async () =>
      (await promisify(crypto.generateKeyPair)('x25519')).publicKey
        .export({ type: 'spki', format: 'der' })
        .toString('hex'),
  ],
};

/** Has draw() draw these, too. */
export function addSources(sources: typeof SOURCES): void {
  Object.assign(SOURCES, sources);
}

/** From both of this thread's generators. */
export function drawOnce(): void {
  crypto.randomBytes(1);
  publicKey();
}

/** Draws of every kind. */
export async function draw(): Promise<Draws> {
  const draws: Draws = {};
  for (const [name, [count, source]] of Object.entries(SOURCES)) {
    draws[name] = (await Promise.all(Array.from({ length: count }, source))).map(String);
  }
  return draws;
}

/** Which kinds gave the same value twice, in one of the processes or in several. */
export function repeated(processes: readonly Draws[]): string[] {
  return Object.keys(processes[0] as Draws).filter((kind) => {
    const all = processes.flatMap((draws) => draws[kind] as string[]);
    return new Set(all).size !== all.length;
  });
}
