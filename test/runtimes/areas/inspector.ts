// An open inspector stays with the parent; the child has one of its own, at another port.
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
  assert.notEqual(new URL(inspector.url() as string).port, new URL(url as string).port);
  await answers();
  inspector.close();
  assert.equal(inspector.url(), undefined);
  await evaluate();
});
assert.equal(inspector.url(), url);
await answers();
inspector.close();
