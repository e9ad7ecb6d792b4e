import { native } from '../native.js';
import { RESOURCES, type Resource } from './resources.js';
import * as validate from './validate.js';

/** A resource limit. `Infinity` is no limit. */
export interface Limit {
  /** What the kernel enforces. */
  soft: number;
  /** How far `soft` may be raised. */
  hard: number;
}

function resourceNumber(resource: unknown): number {
  if (typeof resource !== 'string') throw validate.invalidType('resource', 'a resource name', resource);
  if (!Object.hasOwn(RESOURCES, resource)) {
    throw validate.invalidValue('resource', `one of '${Object.keys(RESOURCES).join("', '")}'`, resource);
  }
  return RESOURCES[resource as Resource];
}

function checkLimit(name: string, value: unknown): asserts value is number {
  if (typeof value !== 'number') throw validate.invalidType(name, 'an integer or Infinity', value);
  if (value === Infinity) return;
  if (!Number.isSafeInteger(value) || value < 0) {
    throw validate.outOfRange(name, `an integer >= 0 and <= ${Number.MAX_SAFE_INTEGER}, or Infinity`, value);
  }
}

/**
 * A resource limit of the process. Units are those of {@link RESOURCES}. A limit beyond 2^53 that isn't infinite, which
 * nothing sets in practice, comes back rounded.
 *
 * @throws ERR_INVALID_ARG_VALUE if there is no such resource
 * @see getrlimit(2)
 */
export function getrlimit(resource: Resource): Limit {
  return native.getrlimit(resourceNumber(resource));
}

/**
 * Sets a resource limit of the process: all its threads, and the processes it starts from then on.
 *
 * @param limit both limits; a number sets both to it, as `ulimit` does
 * @throws EPERM if `hard` is above the present hard limit and the process lacks CAP_SYS_RESOURCE (so lowering `hard`
 * can't be undone), or if the number of descriptors is to exceed /proc/sys/fs/nr_open; EINVAL if `soft` is above `hard`
 * @see setrlimit(2)
 */
export function setrlimit(resource: Resource, limit: Limit | number): void {
  const number = resourceNumber(resource);
  if (typeof limit === 'number') {
    checkLimit('limit', limit);
    native.setrlimit(number, limit, limit);
    return;
  }
  validate.options('limit', limit, ['soft', 'hard']);
  const { soft, hard } = limit;
  checkLimit('limit.soft', soft);
  checkLimit('limit.hard', hard);
  native.setrlimit(number, soft, hard);
}
