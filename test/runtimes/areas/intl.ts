// Locale data, time zones, text decoders: large tables that the process maps, some of them on first use.
import assert from 'node:assert/strict';
import { inBoth } from '../support.js';

function exercise(): void {
  assert.equal(new Intl.NumberFormat('de-DE').format(1234567.5), '1.234.567,5');
  const tokyo = new Intl.DateTimeFormat('en-GB', { timeZone: 'Asia/Tokyo', timeStyle: 'short' });
  assert.equal(tokyo.format(new Date(0)), '09:00');
  assert.deepEqual(['ä', 'z', 'a'].sort(new Intl.Collator('sv').compare), ['a', 'z', 'ä']);
  assert.equal(new TextDecoder('shift_jis').decode(Uint8Array.from([0x93, 0xfa])), '日');
  assert.match('naïve – 日本', /^\p{L}+ \p{Pd} \p{Script=Han}+$/u);
  assert.equal('ﬁ'.normalize('NFKC'), 'fi');
}

await inBoth(exercise);
exercise();
