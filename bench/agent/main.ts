// The app that the benchmarks fork: connects to the benchmark at port argv[2], does what it is told, and exits when the
// connection closes.
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { commands } from './commands.js';
import type { Answer, Hello, Order } from './protocol.js';

function report(): void {
  const socket = connect(Number(process.argv[2]), '127.0.0.1').setNoDelay();
  const hello: Hello = { pid: process.pid, node: process.version };
  socket.write(`${JSON.stringify(hello)}\n`);
  socket.on('error', () => {});
  socket.on('close', () => process.exit());
  createInterface({ input: socket }).on('line', (line) => obey(socket, JSON.parse(line)));
}

async function obey(socket: Socket, { command, args }: Order): Promise<void> {
  const { pid } = process;
  const answer = await carryOut(command, args);
  if (process.pid === pid) {
    socket.write(`${JSON.stringify(answer)}\n`);
    return;
  }
  // A fork came back here a second time, in the child: the connection is the parent's, and the child opens its own.
  socket.removeAllListeners('close').destroy();
  report();
}

async function carryOut(command: Order['command'], args: unknown[]): Promise<Answer> {
  try {
    const call = commands[command] as (...args: unknown[]) => unknown;
    return { result: await call(...args) };
  } catch (error) {
    return { error: (error as Error).stack ?? String(error) };
  }
}

report();
