import type fc from 'fast-check';

/** What the fuzz test does with one export. */
export interface Entry {
  /** The lists of arguments it is called with. */
  arguments: fc.Arbitrary<unknown[]>;
  /** What the kernel may answer; a code of a refused argument is always allowed. */
  errnos?: readonly string[];
  /** Whether a call with these arguments may return, as documented; by default none may. */
  mayReturn?: (args: readonly unknown[]) => boolean;
  /** Takes back what a call did that returned. */
  undo?: (result: unknown, args: readonly unknown[]) => void;
  /** What the generators leave out because it is valid and destructive, and why. */
  excluded?: string;
}

/** What is not called at all, and why. */
export interface Uncalled {
  uncalled: string;
}

export type Table = Readonly<Record<string, Entry | Uncalled>>;

export const always = (): boolean => true;
