// The work of an ordinary app: it holds state, computes, makes garbage and serves HTTP.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { milliseconds, now } from './clock.js';

interface Item {
  id: number;
  name: string;
  tags: string[];
  price: number;
  related: Item | undefined;
}

const state: Item[] = [];
let server: Server | undefined;

function addItems(count: number): void {
  for (let n = 0; n < count; n++) {
    const id = state.length;
    state.push({
      id,
      name: `item ${id}`,
      tags: [`a${id % 97}`, `b${id % 89}`],
      price: id / 7,
      related: state[id >> 1],
    });
  }
}

addItems(1000);

function isSmaller(rssMiB: number): boolean {
  return process.memoryUsage.rss() < rssMiB * 2 ** 20;
}

/** Holds more state until the process is that large, and leaves the garbage of doing so where it is. */
export function grow(rssMiB: number): void {
  while (isSmaller(rssMiB)) addItems(1000);
}

/** The same with the garbage collected: an app at rest, not in the middle of a collection. */
export function growAndCollect(rssMiB: number): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  while (isSmaller(rssMiB)) {
    grow(rssMiB);
    collect();
  }
}

/**
 * Runs a loop that only the optimising compiler makes fast. The function is new each time: it has to be compiled in the
 * process that is measured, by that process's background threads, and isn't what the parent had compiled before a fork.
 *
 * @returns loops a second
 */
export function hotLoop(): number {
  const source = `
    const cells = Array.from({ length: 1024 }, (_, n) => ({ x: n, y: n ^ 5 }));
    let hash = ${Math.floor(Math.random() * 1e9)};
    for (let n = 0; n < 3e7; n++) {
      const cell = cells[n & 1023];
      hash = (Math.imul(hash ^ cell.x, 16777619) + cell.y) | 0;
      cell.x = hash & 0xffff;
    }
    return hash;`;
  const loop = new Function(source);
  const start = now();
  loop();
  return 1000 / milliseconds(start, now());
}

/**
 * Makes garbage of which some survives for a while, so that both the young and the old generation are collected.
 *
 * @returns runs a second
 */
export function churn(): number {
  const ring: { id: number; text: string; more: object }[] = new Array(50_000);
  const start = now();
  for (let n = 0; n < 1_000_000; n++) {
    ring[(n * 7919) % ring.length] = { id: n, text: `text ${n}`, more: { n } };
  }
  return 1000 / milliseconds(start, now());
}

/** Serves a part of the state as JSON, another with each request; answers the port, which is a free one by default. */
export async function listen(port = 0): Promise<number> {
  let next = 0;
  server = createServer((_, response) => {
    next = (next + 4093) % (state.length - 20);
    const items = state.slice(next, next + 20).map((item) => ({ ...item, related: item.related?.name }));
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(items));
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

export async function stopListening(): Promise<void> {
  if (!server) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
