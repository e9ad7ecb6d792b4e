// Starts agents (agent/main.ts) and tells them what to do, over a loopback connection that each of them opens: also the
// children that an agent forks. An agent whose connection closes exits, so nothing outlives the benchmark, however it ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Answer, Commands, Hello } from '../agent/protocol.js';
import { within } from './deadline.js';

const agentPath = fileURLToPath(new URL('../agent/main.js', import.meta.url));

/** A process that obeys commands, one at a time. */
export class Agent {
  readonly #socket: Socket;
  readonly #lines: AsyncIterator<string>;
  readonly pid: number;
  /** The version of its Node. */
  readonly node: string;

  private constructor(socket: Socket, lines: AsyncIterator<string>, hello: Hello) {
    this.#socket = socket;
    this.#lines = lines;
    this.pid = hello.pid;
    this.node = hello.node;
  }

  static async greet(socket: Socket): Promise<Agent> {
    // An agent that is killed resets its connection; the end of the lines tells as much.
    socket.on('error', () => {});
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
    const first = await lines.next();
    return new Agent(socket, lines, JSON.parse(first.value) as Hello);
  }

  async call<K extends keyof Commands>(
    command: K,
    ...args: Parameters<Commands[K]>
  ): Promise<Awaited<ReturnType<Commands[K]>>> {
    this.#socket.write(`${JSON.stringify({ command, args })}\n`);
    const line = await within(`agent ${this.pid}, ${command}`, this.#lines.next());
    if (line.done) throw new Error(`agent ${this.pid} ended during ${command}`);
    const answer = JSON.parse(line.value) as Answer;
    if ('error' in answer) throw new Error(`agent ${this.pid}, ${command}: ${answer.error}`);
    return answer.result as Awaited<ReturnType<Commands[K]>>;
  }

  /** Lets it exit and waits until it has let go of its connection. */
  async end(): Promise<void> {
    if (this.#socket.closed) return;
    const closed = once(this.#socket, 'close');
    this.#socket.end();
    await within(`the end of agent ${this.pid}`, closed, 10_000);
  }
}

/** The agents of one benchmark; `await using` ends them all. */
export class Rig {
  readonly #server: Server;
  readonly #node: string;
  readonly #arrived = new Map<number, Agent>();
  readonly #awaited = new Map<number, (agent: Agent) => void>();
  readonly #started: ChildProcess[] = [];

  private constructor(server: Server, node: string) {
    this.#server = server;
    this.#node = node;
    server.on('connection', async (socket) => {
      const agent = await Agent.greet(socket);
      this.#arrived.set(agent.pid, agent);
      this.#awaited.get(agent.pid)?.(agent);
    });
  }

  /** @param node the binary that runs the agents */
  static async open(node: string): Promise<Rig> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Rig(server, node);
  }

  /** Starts an app with next to no state. */
  async start(): Promise<Agent> {
    const { port } = this.#server.address() as AddressInfo;
    const child = spawn(this.#node, [agentPath, String(port)], { stdio: ['ignore', 'ignore', 'inherit'] });
    await once(child, 'spawn');
    this.#started.push(child);
    return this.#arrival(child.pid as number);
  }

  /** Starts an app with so much state that it is `rssMiB` large; with 0, with next to none. */
  async startLarge(rssMiB: number): Promise<Agent> {
    const agent = await this.start();
    if (rssMiB > 0) await agent.call('growAndCollect', rssMiB);
    return agent;
  }

  /** Lets an agent fork(); answers the agent that the child is. */
  async fork(parent: Agent): Promise<Agent> {
    return this.#arrival(await parent.call('fork'));
  }

  /** Lets an agent start another by child_process.fork. */
  async childFork(parent: Agent): Promise<Agent> {
    return this.#arrival(await parent.call('childFork'));
  }

  /** Ends a forked agent and lets its parent reap it. */
  async reap(parent: Agent, child: Agent): Promise<void> {
    await child.end();
    await parent.call('reap', child.pid);
    this.#arrived.delete(child.pid);
  }

  #arrival(pid: number): Promise<Agent> {
    const arrival = new Promise<Agent>((resolve) => {
      const agent = this.#arrived.get(pid);
      if (agent) resolve(agent);
      else this.#awaited.set(pid, resolve);
    });
    return within(`the first word of agent ${pid}`, arrival);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    // Children before parents: the pid of a child that nobody has reaped cannot have become another process's.
    for (const agent of [...this.#arrived.values()].reverse()) {
      await agent.end().catch(() => process.kill(agent.pid, 'SIGKILL'));
    }
    for (const child of this.#started) child.kill('SIGKILL');
  }
}
