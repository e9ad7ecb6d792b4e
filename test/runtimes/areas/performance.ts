// Clocks and measurements.
import assert from 'node:assert/strict';
import { monitorEventLoopDelay, type PerformanceEntry, PerformanceObserver, performance } from 'node:perf_hooks';
import { until } from '../../helpers/fixture.js';
import { inBoth } from '../support.js';

performance.mark('before');
const early = performance.now();
const tick = process.hrtime.bigint();
const histogram = monitorEventLoopDelay({ resolution: 1 });
histogram.enable();

await inBoth(async () => {
  assert.ok(performance.now() > early);
  assert.ok(process.hrtime.bigint() > tick);
  const observed = new Promise<PerformanceEntry[]>((resolve) => {
    const observer = new PerformanceObserver((list) => {
      observer.disconnect();
      resolve(list.getEntries());
    });
    observer.observe({ entryTypes: ['measure'] });
  });
  performance.mark('after');
  performance.measure('over the fork', 'before', 'after');
  const [entry] = await observed;
  assert.equal(entry?.name, 'over the fork');
  assert.ok((entry?.duration ?? 0) > 0);

  const count = histogram.count;
  await until('the event loop was sampled', () => histogram.count !== count);
  histogram.disable();
  assert.ok(performance.eventLoopUtilization().active > 0);
  const { user } = process.cpuUsage();
  for (let i = 0; process.cpuUsage().user === user; i++) Math.sqrt(i);
  assert.ok(process.resourceUsage().maxRSS > 0);
  assert.ok(process.memoryUsage().rss > 0);
});
