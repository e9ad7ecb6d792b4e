// What packages make identifiers of, and how a forked child gets its own: the recipes of docs/random.md.
import { createRequire } from 'node:module';
import { join } from 'node:path';

type Packages = { sources: Record<string, [count: number, draw: () => unknown]>; renew: () => void };

/** Loads them from the folder that scripts/fetch-random.mjs has made. */
export async function loadPackages(folder: string): Promise<Packages> {
  const { resolve } = createRequire(join(folder, 'here.js'));
  // biome-ignore lint/suspicious/noExplicitAny: packages that aren't there when this is compiled.
  const load = (name: string): Promise<any> => import(resolve(name));
  const { nanoid } = await load('nanoid');
  const { ObjectId } = await load('bson');
  const { default: hyperid } = await load('hyperid');
  const uuid = await load('uuid');
  const { ulid, monotonicFactory } = await load('ulid');
  const { createId } = await load('@paralleldrive/cuid2');
  const { V7Generator } = await load('uuidv7');
  const { v4: lukeed } = await load('@lukeed/uuid');
  const { default: ksuid } = await load('ksuid');
  const rust = (await load('@napi-rs/uuid')).v4;
  let monotonic = monotonicFactory();
  let generator = new V7Generator();
  let instance = hyperid();
  const sources: Packages['sources'] = {};
  for (const [name, draw] of Object.entries<() => unknown>({
    nanoid,
    'bson ObjectId': () => new ObjectId().toHexString(),
    hyperid: () => instance(),
    // Node and clock sequence: they tell processes apart that draw at the same time.
    'uuid v1({})': () => uuid.v1({}).slice(19),
    'uuid v4': () => uuid.v4(),
    'uuid v6': () => uuid.v6().slice(19),
    'uuid v7': () => uuid.v7().slice(24),
    ulid: () => ulid(),
    'ulid, monotonic': () => monotonic().slice(10),
    cuid2: () => createId(),
    uuidv7: () => generator.generate().toString(),
    '@lukeed/uuid': () => lukeed(),
    ksuid: () => ksuid.randomSync().string,
    '@napi-rs/uuid': () => rust(),
  })) {
    sources[name] = [301, draw];
  }
  const renew = () => {
    for (let i = 0; i < 128; i++) nanoid();
    for (let i = 0; i < 256; i++) lukeed();
    for (let i = 0; i < 16; i++) rust();
    ObjectId.resetState();
    instance = hyperid();
    monotonic = monotonicFactory();
    generator = new V7Generator();
  };
  return { sources, renew };
}
