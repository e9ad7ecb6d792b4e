// An arm64 machine in qemu: packs its initramfs, boots it, and reads from its console how it ended.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const checkout = fileURLToPath(new URL('../../../', import.meta.url));

// The paths that one of the scripts prints.
function fetched(script: string, ...args: string[]): string[] {
  const command = [join(checkout, 'scripts', script), ...args];
  const paths = execFileSync(process.execPath, command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  return paths.trim().split('\n');
}

/** A Node for arm64. */
export interface ForeignNode {
  file: string;
  version: string;
}

/** Those of the major versions given; without any, of all that are supported. */
export function foreignNodes(majors: readonly string[] = []): ForeignNode[] {
  return fetched('fetch-nodes.mjs', '--arch', 'arm64', ...majors).map((file) => {
    const { version } = JSON.parse(readFileSync(join(file, '..', '..', 'package.json'), 'utf8'));
    return { file, version };
  });
}

export class Machine {
  readonly #folder = mkdtempSync(join(tmpdir(), 'posix-daemon-arm64-'));
  readonly #fetched = fetched('fetch-arm64.mjs')[0] as string;

  /** All but Node. */
  constructor() {
    const prebuilds = join('prebuilds', 'linux-arm64');
    if (!existsSync(join(checkout, prebuilds))) throw new Error('needs `npm run prebuildify:arm64` first');
    const { dependencies } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'));
    const modules = Object.keys(dependencies).map((name) => join('node_modules', name));
    const root = join(this.#folder, 'root');
    cpSync(join(this.#fetched, 'root'), root, { recursive: true, verbatimSymlinks: true });
    for (const mountPoint of ['dev', 'proc', 'sys', 'tmp']) mkdirSync(join(root, mountPoint));
    for (const part of ['package.json', 'dist', join('out', 'test'), prebuilds, ...modules]) {
      cpSync(join(checkout, part), join(root, 'package', part), { recursive: true });
    }
    cpSync(join(checkout, 'test', 'arm64', 'init.sh'), join(root, 'init'));
  }

  /** Runs it to its end; resolves with what is wrong with that, if something is. */
  async run(node: ForeignNode, forks: number, print: (line: string) => void): Promise<string | undefined> {
    const seconds = 300 + 20 * forks;
    const qemu = spawn('qemu-system-aarch64', [...MACHINE, ...this.#system(node, forks)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: seconds * 1000,
      killSignal: 'SIGKILL',
    });
    const end = once(qemu, 'close');
    let status: number | undefined;
    for await (const line of createInterface({ input: qemu.stdout })) {
      if (status === undefined) print(line); // the kernel adds a backtrace
      const [, code] = /Attempted to kill init! exitcode=0x([0-9a-f]+)/.exec(line) ?? [];
      if (code) status = Number.parseInt(code, 16);
    }
    const [code, signal] = await end;
    if (signal) return `no end after ${seconds} s`;
    if (code !== 0) return `qemu ended with ${code}`;
    if (status === undefined) return 'the machine stopped without a word from its first process';
    if (status & 0x7f) return `the first process was killed by signal ${status & 0x7f}`;
    return status === 0 ? undefined : `the first process ended with ${status >> 8}`;
  }

  #system(node: ForeignNode, forks: number): string[] {
    const root = join(this.#folder, 'root');
    const image = join(this.#folder, 'initramfs');
    cpSync(node.file, join(root, 'bin', 'node'));
    // Not compressed: unpacking it would take the machine longer than all it does until Node runs.
    execFileSync('sh', ['-c', 'find . | cpio -o -H newc -R 0:0 --quiet >"$1"', 'sh', image], { cwd: root });
    // The kernel gives what it doesn't know to its first process as environment.
    const parameters = `console=ttyAMA0 quiet panic=-1 FORKS=${forks}`;
    return ['-kernel', join(this.#fetched, 'kernel'), '-initrd', image, '-append', parameters];
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

// Of the processors, `max` is the fastest here, since it has atomic instructions (a Cortex-A72 takes 1.6 times as long).
// It signs pointers as real ones of today do; with qemu's own algorithm, since the standard's is slow to emulate.
const MACHINE = [
  ...['-machine', 'virt', '-cpu', 'max,pauth-impdef=on', '-accel', 'tcg,thread=multi', '-smp', '2', '-m', '2G'],
  ...['-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-nic', 'none', '-no-reboot'],
];
