// An open inspector stays with the parent; the child's is closed, and it may open one of its own.
import assert from 'node:assert/strict';
import inspector from 'node:inspector';
import { inBoth, inChild } from '../support.js';

async function evaluate(): Promise<void> {
  const session = new inspector.Session();
  session.connect();
  const result = await new Promise<unknown>((resolve, reject) => {
    session.post('Runtime.evaluate', { expression: '6 * 7' }, (error, answer) =>
      error ? reject(error) : resolve(answer.result.value),
    );
  });
  assert.equal(result, 42);
  session.disconnect();
}

async function answers(): Promise<void> {
  const { host } = new URL(inspector.url() as string);
  const targets = (await (await fetch(`http://${host}/json/list`)).json()) as { webSocketDebuggerUrl: string }[];
  assert.equal(targets[0]?.webSocketDebuggerUrl, inspector.url());
}

await evaluate();
await inBoth(evaluate);

inspector.open(0, '127.0.0.1');
const url = inspector.url();
await answers();
await inChild(async () => {
  assert.equal(inspector.url(), undefined);
  inspector.open(0, '127.0.0.1');
  assert.notEqual(inspector.url(), url);
  await answers();
  inspector.close();
  await evaluate();
});
assert.equal(inspector.url(), url);
await answers();
inspector.close();
