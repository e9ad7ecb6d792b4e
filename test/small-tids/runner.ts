// Runs holders in pid namespaces, where they have the pids that are asked for.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { namespaceCommand } from '../helpers/namespace.js';
import type { Sample } from './holder.js';
import type { Change } from './holdings.js';

const HOLDER = fileURLToPath(new URL('./holder.js', import.meta.url));
/** No number of a large pid is found in the data of a small one. */
const LARGE_PID = 20_000;
const ANSWER_MS = 120_000;
/** A process whose children fail isn't forked on and on: each that hangs takes half a minute. */
const MOST_FAILURES = 3;

export interface Result {
  pid: number;
  imitations: boolean;
  forks: number;
  /** How often fork() threw EAGAIN. */
  refused: number;
  /** What else went wrong. */
  failures: string[];
  changes: Change[];
  times: Record<Load, Times>;
}

/** Whether the process's threads work on such data while it forks. */
export type Load = 'idle' | 'busy';

/** Milliseconds until the child's first statement: with the small pid and, of the same process with the same data, with a large one. */
export interface Times {
  small: number[];
  large: number[];
}

interface Setting {
  node: string;
  pid: number;
  forks: number;
  /** Whether the data holds whole locks as well. */
  imitations?: boolean;
}

class Holder {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  constructor(node: string, pid: number, madeFor: number, imitations: boolean) {
    // The next process of the namespace gets the number after the last; the first is a shell, which collects orphans.
    const program = [node, HOLDER, '--made-for', String(madeFor), ...(imitations ? ['--imitations'] : [])];
    const script = `echo ${pid - 1} >/proc/sys/kernel/ns_last_pid && "$@"; exit $?`;
    const [file, args] = namespaceCommand(pid === 1 ? program : ['sh', '-c', script, 'sh', ...program]);
    const env = { ...process.env };
    delete env.NODE_TEST_CONTEXT;
    this.#child = spawn(file, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdin?.on('error', () => {}); // one that has died; its last words follow
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    const timer = setTimeout(() => {
      this.#errors += `no answer for ${ANSWER_MS / 1000} s`;
      this.end();
    }, ANSWER_MS);
    try {
      const next = await this.#lines.next();
      if (next.done) throw new Error(`the holder ended: ${this.#errors}`);
      return next.value;
    } finally {
      clearTimeout(timer);
    }
  }

  async sample(load: Load): Promise<Sample> {
    this.#child.stdin?.write(`${load}\n`);
    return JSON.parse(await this.line());
  }

  /** unshare takes all of the namespace along. */
  end(): void {
    this.#child.kill('SIGKILL');
  }
}

/** Forks a process with this pid, and the same with a large pid, in turns. */
export async function forkWithPid({ node, pid, forks, imitations = false }: Setting): Promise<Result> {
  const times = { idle: { small: [], large: [] }, busy: { small: [], large: [] } };
  const result: Result = { pid, imitations, forks: 0, refused: 0, failures: [], changes: [], times };
  const small = new Holder(node, pid, pid, imitations);
  const large = new Holder(node, LARGE_PID, pid, imitations);
  const note = (sample: Sample, times: number[]) => {
    if (sample.refused) result.refused++;
    if (sample.failed) result.failures.push(sample.failed);
    result.changes.push(...sample.inChild, ...sample.inParent);
    if (sample.child !== undefined) times.push(sample.child);
  };
  try {
    for (const holder of [small, large]) await holder.line();
    for (; result.forks < forks && result.failures.length < MOST_FAILURES; result.forks++) {
      const load = result.forks % 2 ? 'idle' : 'busy';
      note(await small.sample(load), result.times[load].small);
      note(await large.sample(load), result.times[load].large);
    }
  } catch (error) {
    result.failures.push((error as Error).message);
  } finally {
    small.end();
    large.end();
  }
  return result;
}
