// Calls every export of the package with wrong types, NaN, negative and huge numbers, descriptors that are closed, pids
// that are dead: each call has to throw a coded error and leave the process as it was, or return where that is
// documented; none may crash, or leak a descriptor or a child.
//
//   node out/test/fuzz/arguments.js [calls = 100000] [seed]
//
// It runs in a pid namespace of its own, lest a signal get out. Exit status: 0 all is well, 1 it isn't, 77 no
// namespace.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { inspect } from 'node:util';
import fc from 'fast-check';
import * as posix from 'posix-daemon';
import { namespaceCommand, namespaceRefused } from '../helpers/namespace.js';
import type { Entry, Table } from './entry.js';
import { DESCRIPTOR_LIMIT } from './hostile.js';

const NO_NAMESPACE = 77;
const PROGRESS = 3;
const REFUSED = ['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE', 'ERR_OUT_OF_RANGE', 'ERR_UNKNOWN_SIGNAL'];

/** What a refused call must leave as it was. */
function stateOfProcess(): string {
  const status = readFileSync('/proc/self/status', 'utf8');
  const kept = ['Name', 'Umask', 'Uid', 'Gid', 'Groups', 'SigBlk', 'SigIgn', 'SigCgt'];
  const lines = status.split('\n').filter((line) => kept.some((field) => line.startsWith(`${field}:`)));
  return [...lines, process.cwd(), readFileSync('/proc/self/limits', 'utf8'), `${countDescriptors()} descriptors`].join(
    '\n',
  );
}

function countDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

function assertCoded(error: unknown, errnos: readonly string[]): void {
  if (!(error instanceof Error)) throw new Error(`it threw ${inspect(error)}`);
  const { code, errno, syscall } = error as NodeJS.ErrnoException;
  if (REFUSED.includes(code ?? '')) return;
  if (!errnos.includes(code ?? '')) throw new Error(`its error has the code ${inspect(code)}`, { cause: error });
  if (errno !== -constants.errno[code as keyof typeof constants.errno] || !syscall) {
    throw new Error(`its error has errno ${errno} and syscall ${inspect(syscall)}`, { cause: error });
  }
}

/** Returns the call to make with each list of arguments: it throws if the export did what it shouldn't. */
function checker(call: (...args: unknown[]) => unknown, { errnos = [], mayReturn, undo }: Entry) {
  let state = stateOfProcess();
  return (args: unknown[]): void => {
    let result: unknown;
    try {
      result = call(...args);
    } catch (error) {
      assertCoded(error, errnos);
      const now = stateOfProcess();
      if (now !== state) throw new Error(`it threw and left the process changed:\n${state}\nis now\n${now}`);
      return;
    }
    if (!mayReturn?.(args)) throw new Error(`it returned ${inspect(result)}`);
    const before = Number.parseInt(/(\d+) descriptors$/.exec(state)?.[1] ?? '', 10);
    undo?.(result, args);
    if (countDescriptors() !== before) throw new Error(`it left ${countDescriptors() - before} descriptors open`);
    state = stateOfProcess();
  };
}

async function callEverything(calls: number, seed: number): Promise<void> {
  posix.setrlimit('nofile', { soft: DESCRIPTOR_LIMIT, hard: DESCRIPTOR_LIMIT });
  posix.setThreadName('node');
  // Loaded only here: the tables open a file and look at the descriptors of this process.
  const { toolkit } = await import('./toolkit.js');
  const { processes } = await import('./processes.js');
  const { daemons } = await import('./daemons.js');
  const tables: Table = { ...toolkit, ...processes, ...daemons };

  const functions = Object.entries(posix).filter(([, value]) => typeof value === 'function');
  const missing = functions.map(([name]) => name).filter((name) => !Object.hasOwn(tables, name));
  if (missing.length > 0) throw new Error(`no entry in the tables of test/fuzz for ${missing.join(', ')}`);

  const called = functions.filter(([name]) => 'arguments' in (tables[name] as object));
  const numRuns = Math.ceil(calls / called.length);
  let made = 0;
  for (const [name, call] of called) {
    // For the report in case the call takes the process down.
    writeSync(PROGRESS, `${name}\n`);
    const entry = tables[name] as Entry;
    const check = checker(call as (...args: unknown[]) => unknown, entry);
    const property = fc.property(entry.arguments, (args) => {
      made++;
      check(args);
    });
    const outcome = fc.check(property, { numRuns, seed });
    if (outcome.failed) throw new Error(`${name}: ${fc.defaultReportMessage(outcome)}`);
  }

  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim();
  if (children) throw new Error(`children are left: ${children}`);
  console.log(
    `${made} calls of ${called.length} exports, seed ${seed}: a coded error or a documented result each time`,
  );
}

const [mode, ...numbers] =
  process.argv[2] === '--inside' ? process.argv.slice(2) : ['--outside', ...process.argv.slice(2)];
const [calls = 100_000, seed = Date.now() % 2 ** 31] = numbers.map(Number);
if (mode === '--inside') {
  await callEverything(calls, seed);
} else {
  const refused = namespaceRefused();
  if (refused) {
    console.error(refused);
    process.exit(NO_NAMESPACE);
  }
  const script = [process.execPath, process.argv[1] as string, '--inside', String(calls), String(seed)];
  const [file, args] = namespaceCommand(script);
  const stdio = ['ignore', 'inherit', 'inherit', 'pipe'] as const;
  const { status, signal, error, output } = spawnSync(file, args, { stdio: [...stdio], encoding: 'utf8' });
  if (signal || error) {
    const last = output?.[PROGRESS]?.trim().split('\n').at(-1);
    console.error(`the fuzz test ended by ${signal ?? error} in ${last}, seed ${seed}`);
  }
  process.exitCode = status ?? 1;
}
