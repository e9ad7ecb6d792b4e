// What a benchmark and its agents say to each other: one JSON text a line.
import type { commands } from './commands.js';

export type Commands = typeof commands;

/** The first line of an agent. */
export interface Hello {
  pid: number;
  node: string;
}

export interface Order {
  command: keyof Commands;
  args: unknown[];
}

export type Answer = { result: unknown } | { error: string };
