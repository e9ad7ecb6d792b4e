// Values that a call has to refuse, or survive. None of them throws when it is read (a revoked proxy, a getter that
// throws): such an error is the caller's own and comes through as it is.
import fc from 'fast-check';

/** More than any descriptor can be here (arguments.ts lowers `nofile`), hence never open. */
export const DESCRIPTOR_LIMIT = 1024;

/** The kernel's PID_MAX_LIMIT is 2^22. */
const LAST_PID = 2 ** 22;

const INT32_MAX = 2 ** 31 - 1;

/** Neither a number nor a string. */
export const wrongType: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, Symbol('s'), () => 3, /3/, new Date(0), new Map(), class {}),
  fc.constant({ valueOf: () => 3, toString: () => '3' }),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.array(fc.integer(), { maxLength: 3 }),
  fc.uint8Array({ maxLength: 4 }),
  fc.object({ maxDepth: 1 }),
);

/** Numbers that are no 32-bit integers. */
export const wrongNumber: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(
    Number.NaN,
    Infinity,
    -Infinity,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    -(2 ** 53),
    Number.MAX_VALUE,
    5e-324,
    0.5,
    -0.5,
  ),
  fc.double().filter((n) => !Number.isInteger(n) || Math.abs(n) > 2 ** 31),
);

/** Strings of every kind: empty, with null bytes and lone surrogates, numbers in digits, long ones. */
export const wrongText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('', '0', '-1', 'constructor', '__proto__', '\0', 'a\0b', '\ud800', 'x'.repeat(100_000)),
  fc.string({ unit: 'binary' }),
);

/** Anything but undefined and an integer of 32 bits. */
export const notInteger = fc.oneof(wrongType, wrongNumber, wrongText);

/** Anything but undefined and a string. */
export const notText = fc.oneof(wrongType, wrongNumber, fc.integer());

/** Anything. */
export const anything = fc.oneof(fc.constant(undefined), notInteger, fc.integer());

export const negative = fc.integer({ min: -INT32_MAX - 1, max: -1 });
export const closedDescriptor = fc.integer({ min: DESCRIPTOR_LIMIT, max: INT32_MAX });
export const deadPid = fc.integer({ min: LAST_PID + 1, max: INT32_MAX });

/** What is no descriptor, or one that isn't open. */
export const badDescriptor = fc.oneof(fc.constant(undefined), notInteger, negative, closedDescriptor);

/** What is no pid, or one that no process has. */
export const badPid = fc.oneof(notInteger, negative, deadPid);

/** A path to nowhere. */
export const missingPath = fc.string({ unit: 'binary' }).map((text) => `/nonexistent/${text}`);

/** Lists of arguments: as many as the generators, or fewer. */
export function upTo(...parameters: fc.Arbitrary<unknown>[]): fc.Arbitrary<unknown[]> {
  const lengths = Array.from({ length: parameters.length }, (_, i) => fc.tuple(...parameters.slice(0, i + 1)));
  return fc.oneof({ arbitrary: lengths.at(-1) as fc.Arbitrary<unknown[]>, weight: 3 }, ...lengths);
}
