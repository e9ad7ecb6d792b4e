import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { COMMAND, type Sandbox, sandbox } from '../helpers/command.js';
import { type OnTerminal, onTerminal } from '../helpers/pty.js';

const COMMANDS = ['start', 'status', 'stop', 'restart', 'logs', 'list', 'run', 'help', 'completion'];

function needs(program: string): { skip: string | false } {
  return { skip: spawnSync(program, ['--version']).error ? `needs ${program}` : false };
}

test('help lists the commands, and explains each with its options and examples', async (t) => {
  const { ok } = sandbox(t);
  const overview = await ok(['help']);
  assert.equal(await ok([]), overview);
  assert.equal(await ok(['--help']), overview);
  for (const command of COMMANDS) {
    assert.match(overview, new RegExp(`^  ${command}\\b`, 'm'));
    const own = await ok(['help', command]);
    assert.match(own, new RegExp(`^posix-daemon ${command}`));
    assert.match(own, /^Options\n/m);
    assert.match(own, /^Examples\n {2}\S/m);
    assert.equal(await ok([command, '--help']), own);
  }
});

test('every option, variable and config key is documented', async (t) => {
  const { json } = sandbox(t);
  const text = readFileSync(fileURLToPath(new URL('../../../docs/command.md', import.meta.url)), 'utf8');
  const { commands } = await json<{ commands: { name: string; options: { name: string }[] }[] }>(['help']);
  assert.deepEqual(
    commands.map(({ name }) => name),
    COMMANDS,
  );
  for (const { name, options } of commands) {
    assert.ok(text.includes(`\`${name}\``) || text.includes(`## ${name}`), name);
    for (const option of options) assert.ok(text.includes(`--${option.name}`), option.name);
  }
});

test('--version tells the package’s version, also through a link to the command', async (t) => {
  const { ok, folder } = sandbox(t);
  const manifest = fileURLToPath(new URL('../../../package.json', import.meta.url));
  const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
  assert.equal(await ok(['--version']), `posix-daemon ${version}, Node ${process.versions.node}\n`);
  assert.deepEqual(JSON.parse(await ok(['--version', '--json'])), { version, node: process.versions.node });
  symlinkSync(COMMAND, join(folder, 'posix-daemon'));
  const linked = spawnSync(join(folder, 'posix-daemon'), ['-V'], { encoding: 'utf8' });
  assert.match(linked.stdout, /^posix-daemon \d/);
});

test('there is colour on a terminal only, and none with NO_COLOR', async (t) => {
  const { run, start } = sandbox(t);
  await start(['--', 'sleep', '1000']);
  const list = async (env: NodeJS.ProcessEnv) => {
    const { stdout } = await run(['list'], { via: onTerminal([]), env: { TERM: 'xterm-256color', ...env } });
    return (JSON.parse(stdout) as OnTerminal).screen;
  };
  const colour = '\x1b[';
  // Node 20.11 can't colour.
  if ('styleText' in (await import('node:util'))) assert.ok((await list({})).includes(colour));
  assert.ok(!(await list({ NO_COLOR: '1' })).includes(colour));
  assert.ok(!(await run(['list'])).stdout.includes(colour));
});

test('a long wait says on a terminal what it waits for', async (t) => {
  const { run } = sandbox(t);
  const args = ['start', '--up-ms', '60000', '--', 'sleep', '1000'];
  const via = onTerminal([['waiting until it has been up for 1 min', '\x03']]);
  const { stdout } = await run(args, { via });
  const { screen, code } = JSON.parse(stdout) as OnTerminal;
  assert.match(screen, /^sleep: waiting until it has been up for 1 min …/);
  assert.equal(code, -2);
});

/** A PATH with the command in it under its name. */
function installed({ folder }: Sandbox): NodeJS.ProcessEnv {
  mkdirSync(join(folder, 'bin'));
  symlinkSync(COMMAND, join(folder, 'bin/posix-daemon'));
  return { PATH: `${join(folder, 'bin')}:${process.env.PATH}` };
}

async function bashCompletes(t: TestContext, box: Sandbox): Promise<(line: string) => Promise<string[]>> {
  const env = installed(box);
  const script = box.write('completion.bash', await box.ok(['completion', 'bash']));
  return async (line) => {
    const words = line.split(' ');
    const assign = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}`;
    const run = `source ${script}; ${assign}; _posix_daemon; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = await box.run([], { via: ['bash', '--norc', '-c', run, 'bash'], env });
    assert.equal(stderr, '', t.name);
    return stdout.split('\n').filter(Boolean).sort();
  };
}

test('bash completes commands, options, names of daemons and files', needs('bash'), async (t) => {
  const box = sandbox(t);
  await box.start(['--name', 'web', '--', 'sleep', '1000']);
  const completes = await bashCompletes(t, box);
  assert.deepEqual(await completes('posix-daemon sta'), ['start', 'state', 'status']);
  assert.deepEqual(await completes('posix-daemon start --max-b'), ['--max-bytes']);
  assert.deepEqual(await completes('posix-daemon stop --f'), ['--forget']);
  assert.deepEqual(await completes('posix-daemon status '), ['web']);
  assert.deepEqual(await completes('posix-daemon logs -f w'), ['web']);
  assert.deepEqual(await completes('posix-daemon start --log comp'), ['completion.bash']);
  assert.deepEqual(await completes('posix-daemon start --stop-signal SIGUSR'), ['SIGUSR1', 'SIGUSR2']);
  assert.deepEqual(await completes('posix-daemon start --restart on'), ['on-failure']);
  assert.ok((await completes('posix-daemon start -- slee')).includes('sleep'));
  assert.deepEqual(await completes('posix-daemon start --name x -- cat comp'), ['completion.bash']);
  assert.deepEqual(await completes('posix-daemon completion z'), ['zsh']);
});

test('zsh completes commands, options and names of daemons', needs('zsh'), async (t) => {
  const box = sandbox(t);
  const env = { ...installed(box), ZDOTDIR: box.folder };
  await box.start(['--name', 'web', '--', 'sleep', '1000']);
  box.write('_posix-daemon', await box.ok(['completion', 'zsh']));
  // Control-T completes what was typed and shows the line.
  box.write(
    '.zshrc',
    `PROMPT='ready> '; fpath=(${box.folder} $fpath); autoload -U compinit; compinit -u -D
show() { zle complete-word; print -r -- "line<$BUFFER>"; BUFFER=; zle reset-prompt }; zle -N show; bindkey '^T' show\n`,
  );
  const lines = {
    'posix-daemon resta': 'posix-daemon restart',
    'posix-daemon start --max-b': 'posix-daemon start --max-bytes',
    'posix-daemon start --restart on': 'posix-daemon start --restart on-failure',
    'posix-daemon status w': 'posix-daemon status web',
    'posix-daemon stop --for': 'posix-daemon stop --forget',
    'posix-daemon completion z': 'posix-daemon completion zsh',
    'posix-daemon start -- slee': 'posix-daemon start -- sleep',
  };
  const typed = Object.keys(lines).map((line) => `${line}\x14`);
  const steps = typed.map((keys, i) => [i === 0 ? 'ready> ' : `line<`, keys] as const);
  const via = onTerminal([...steps, ['line<', 'exit\r']]);
  const { stdout, stderr } = await box.run([], {
    via: [...via, 'sh', '-c', 'exec zsh -i'],
    env: { ...env, TERM: 'dumb' },
  });
  assert.equal(stderr, '');
  const shown = [...(JSON.parse(stdout) as OnTerminal).screen.matchAll(/line<([^>]*?) ?>/g)].map(([, line]) => line);
  assert.deepEqual(shown, Object.values(lines));
});
