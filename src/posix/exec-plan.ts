// Turns the options of forkExec into what the addon carries out: checked, defaults filled in, every name resolved.
import { constants } from 'node:fs';
import type { DescriptorPlan, ForkExecPlan } from '../native.js';
import { resolveCredentials } from './credentials.js';
import { FORK_EXEC_OPTIONS, type ForkExecOptions } from './exec-options.js';
import { mainThreadOnly } from './main-thread.js';
import { RESOURCES, type Resource } from './resources.js';
import { signalNumber } from './signal-number.js';
import * as validate from './validate.js';

const { O_APPEND, O_CREAT, O_NOCTTY, O_RDONLY, O_RDWR, O_WRONLY } = constants;
// The greatest number has no successor to move a source to.
const MAX_TARGET = 0x7ffffffe;

/** The environment as execve takes it. One's own is passed on as it is, however odd its names are. */
export function environment(name: string, env: unknown): string[] {
  if (typeof env !== 'object' || env === null) throw validate.invalidType(name, 'an object', env);
  const result: string[] = [];
  for (const [key, value] of Object.entries(env)) {
    if (value === undefined) continue;
    validate.text(`${name}.${key}`, value);
    validate.text(name, key);
    if (env !== process.env && (key === '' || key.includes('=')))
      throw validate.invalidValue(name, 'made of names without "="', key);
    result.push(`${key}=${value}`);
  }
  return result;
}

function standardDescriptor(target: number, source: unknown): DescriptorPlan {
  const name = `options.stdio[${target}]`;
  if (source === undefined || source === 'inherit') return { target };
  if (source === 'null') return { target, path: '/dev/null', flags: O_RDWR | O_NOCTTY };
  if (typeof source === 'string') {
    validate.path(name, source);
    const flags = target === 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_APPEND;
    return { target, path: source, flags: flags | O_NOCTTY };
  }
  if (typeof source !== 'number') throw validate.invalidType(name, "a descriptor, a path, 'null' or 'inherit'", source);
  validate.descriptor(name, source);
  return { target, source };
}

function descriptors(stdio: unknown, fds: unknown): DescriptorPlan[] {
  if (!Array.isArray(stdio)) throw validate.invalidType('options.stdio', 'an array', stdio);
  if (stdio.length > 3) throw validate.invalidValue('options.stdio', 'of three at most; the rest goes into fds', stdio);
  const result = [0, 1, 2].map((target) => standardDescriptor(target, stdio[target]));
  if (typeof fds !== 'object' || fds === null) throw validate.invalidType('options.fds', 'an object', fds);
  for (const [key, source] of Object.entries(fds)) {
    const target = /^\d+$/.test(key) ? Number(key) : Number.NaN;
    if (!(target >= 3 && target <= MAX_TARGET)) {
      throw validate.outOfRange('options.fds', `made of descriptors >= 3 and <= ${MAX_TARGET}`, key);
    }
    validate.descriptor(`options.fds[${key}]`, source);
    result.push({ target, source });
  }
  return result;
}

function amount(name: string, value: unknown): number {
  if (typeof value !== 'number') throw validate.invalidType(name, 'an integer or Infinity', value);
  if (value !== Infinity) validate.integer(name, value, 0, Number.MAX_SAFE_INTEGER);
  return value;
}

function limits(rlimits: unknown): ForkExecPlan['rlimits'] {
  validate.options('options.rlimits', rlimits, Object.keys(RESOURCES));
  return Object.entries(rlimits)
    .filter(([, limit]) => limit !== undefined)
    .map(([key, limit]) => {
      const name = `options.rlimits.${key}`;
      const resource = RESOURCES[key as Resource];
      if (typeof limit !== 'object' || limit === null) {
        const both = amount(name, limit);
        return { resource, soft: both, hard: both };
      }
      return { resource, soft: amount(`${name}.soft`, limit.soft), hard: amount(`${name}.hard`, limit.hard) };
    });
}

function processGroup(setpgid: unknown, setsid: boolean): number | undefined {
  if (setpgid === undefined || setpgid === false) return undefined;
  if (setsid) throw validate.invalidValue('options.setpgid', 'left out with setsid, which makes a group', setpgid);
  if (setpgid === true) return 0;
  validate.pid('options.setpgid', setpgid, 1);
  return setpgid;
}

function terminal(ctty: unknown, setsid: boolean, plan: readonly DescriptorPlan[]): number | undefined {
  if (ctty === undefined || ctty === false) return undefined;
  if (!setsid) throw validate.invalidValue('options.ctty', 'left out without setsid: a session has one terminal', ctty);
  const target = ctty === true ? 0 : ctty;
  validate.descriptor('options.ctty', target);
  if (!plan.some((descriptor) => descriptor.target === target)) {
    throw validate.invalidValue('options.ctty', 'one of the descriptors of stdio and fds', ctty);
  }
  return target;
}

function secondFork({ detach = false, setsid = false, ctty, pdeathsig }: ForkExecOptions): boolean {
  validate.boolean('options.detach', detach);
  if (!detach) return false;
  if (!setsid) throw validate.invalidValue('options.detach', 'left out without setsid', detach);
  if (pdeathsig !== undefined) {
    throw validate.invalidValue('options.detach', 'left out with pdeathsig: its parent ends at once', detach);
  }
  if (ctty !== undefined && ctty !== false) {
    throw validate.invalidValue('options.detach', 'left out with ctty, which takes the leader of a session', detach);
  }
  return true;
}

function deathSignal(pdeathsig: unknown): number | undefined {
  if (pdeathsig === undefined) return undefined;
  const number = signalNumber('options.pdeathsig', pdeathsig);
  mainThreadOnly('forkExec with pdeathsig', 'the end of the thread would send the signal, not the end of the process');
  return number;
}

function signals(mask: unknown): number[] {
  if (!Array.isArray(mask)) throw validate.invalidType('options.signalMask', 'an array', mask);
  return mask.map((signal, i) => signalNumber(`options.signalMask[${i}]`, signal));
}

function checkTexts({ argv, argv0, title, cwd, chroot }: ForkExecOptions): void {
  if (argv !== undefined) validate.list('options.argv', argv, validate.text);
  if (argv0 !== undefined) validate.text('options.argv0', argv0);
  if (title !== undefined) validate.text('options.title', title);
  if (cwd !== undefined) validate.path('options.cwd', cwd);
  if (chroot !== undefined) validate.path('options.chroot', chroot);
}

function checkNumbers({ umask, nice, oomScoreAdj }: ForkExecOptions): void {
  if (umask !== undefined) validate.integer('options.umask', umask, 0, 0o777);
  if (nice !== undefined) validate.integer('options.nice', nice, -20, 19);
  if (oomScoreAdj !== undefined) validate.integer('options.oomScoreAdj', oomScoreAdj, -1000, 1000);
}

type Optional = 'setpgid' | 'ctty' | 'umask' | 'oomScoreAdj' | 'nice' | 'chroot' | 'cwd' | 'pdeathsig';

/** Without the properties that are undefined: what the addon isn't told stays as the caller has it. */
function given(values: { [K in Optional]: ForkExecPlan[K] | undefined }): Pick<ForkExecPlan, Optional> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** Checks the options; `file` is left to the caller, who looks it up. */
export function forkExecPlan(file: string, options: ForkExecOptions): ForkExecPlan {
  validate.options('options', options, FORK_EXEC_OPTIONS);
  const { argv = [], env = process.env, stdio = [], fds = {}, rlimits = {} } = options;
  const { setsid = false, resetSignals = true, signalMask = [] } = options;
  const { umask, nice, oomScoreAdj, chroot, cwd } = options;
  checkTexts(options);
  checkNumbers(options);
  validate.boolean('options.setsid', setsid);
  validate.boolean('options.resetSignals', resetSignals);
  const plan = descriptors(stdio, fds);
  return {
    file,
    argv: [options.argv0 ?? options.title ?? file, ...argv],
    env: environment('options.env', env),
    descriptors: plan,
    setsid,
    detach: secondFork(options),
    rlimits: limits(rlimits),
    resetSignals,
    signalMask: signals(signalMask),
    ...resolveCredentials({ uid: 'options.uid', gid: 'options.gid', groups: 'options.groups' }, options),
    ...given({
      setpgid: processGroup(options.setpgid, setsid),
      ctty: terminal(options.ctty, setsid, plan),
      pdeathsig: deathSignal(options.pdeathsig),
      umask,
      nice,
      oomScoreAdj,
      chroot,
      cwd,
    }),
  };
}
