// What is no lock but could be taken for one where tids are small numbers: what arrays of ordinary programs are full of, and
// glibc's locks as they look while one of the process's own threads holds them.

/** Fills words in place. `tids` are those of the live threads; `first` is the one that begins. */
type Pattern = (words: Int32Array, tids: readonly number[], first: number) => void;

// pthread_mutex_t: lock, count, owner, users, kind, and five words that are 0.
const MUTEX_WORDS = 10;
const OWNER = 2;
// pthread_rwlock_t: readers, writers, two futexes, two words of padding, the writer, and seven words that are 0.
const RWLOCK_WORDS = 14;
const WRITER = 6;

const RECURSIVE = [1, 1, 0, 1, 1];
const WAITED_FOR = [2, 1, 0, 1, 1];
const ERROR_CHECKING = [1, 0, 0, 1, 2];
const WRITE_HELD = [3, 0, 1, 1];

function repeat(words: Int32Array, stride: number, at: (index: number, place: number) => void): void {
  for (let index = 0, place = 0; place + stride <= words.length; index++, place += stride) at(index, place);
}

function tidAt(tids: readonly number[], index: number): number {
  return tids[index % tids.length] as number;
}

/** The value of element `index` in what is made of runs of 0 and 1: run lengths from 1 to 16, in no simple order. */
export function runValue(index: number): number {
  return (Math.imul(index >> (Math.imul(index >> 9, 7) & 3), 0x9e3779b1) >>> 30) & 1;
}

export const PATTERNS: Readonly<Record<string, Pattern>> = {
  mutexes(words, tids, first) {
    repeat(words, MUTEX_WORDS, (index, place) => {
      words.set(RECURSIVE, place);
      words[place + OWNER] = tidAt(tids, first + index);
    });
  },
  // All of one owner, and one a cache line: also a copy that begins elsewhere begins with a lock of its.
  'mutexes of one owner'(words, tids, first) {
    repeat(words, 16, (_, place) => {
      words.set(RECURSIVE, place);
      words[place + OWNER] = tidAt(tids, first);
    });
  },
  'other mutexes'(words, tids, first) {
    repeat(words, MUTEX_WORDS, (index, place) => {
      words.set(index % 2 ? WAITED_FOR : ERROR_CHECKING, place);
      words[place + OWNER] = tidAt(tids, first + (index >> 1));
    });
  },
  'read-write locks'(words, tids, first) {
    repeat(words, RWLOCK_WORDS, (index, place) => {
      words.set(WRITE_HELD, place);
      words[place + WRITER] = tidAt(tids, first + index);
    });
  },
  'runs of 0 and 1'(words) {
    for (let i = 0; i < words.length; i++) words[i] = runValue(i);
  },
  // The same as 64-bit integers.
  'wide runs of 0 and 1'(words) {
    for (let i = 0; i < words.length; i += 2) words[i] = runValue(i >> 1);
  },
  'small integers'(words, _tids, first) {
    for (let i = 0; i < words.length; i++) words[i] = (first + i) % 81;
  },
  tids(words, tids, first) {
    for (let i = 0; i < words.length; i++) words[i] = tidAt(tids, first + (i >> 1));
  },
};

/** Whole locks, each seemingly held: nothing but a fork's caution is in their way. */
export const IMITATIONS: readonly string[] = ['mutexes', 'mutexes of one owner', 'other mutexes', 'read-write locks'];

/** What arrays of ordinary programs hold. */
export const ORDINARY: readonly string[] = Object.keys(PATTERNS).filter((name) => !IMITATIONS.includes(name));
