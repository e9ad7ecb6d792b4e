/** The resources that limits apply to, by the names of getrlimit(2) and their numbers on x86-64 and arm64. */
export const RESOURCES = {
  /** Address space, in bytes. V8 reserves far more than it uses: Node needs tens of gigabytes. */
  as: 9,
  /** Core file, in bytes. */
  core: 4,
  /** Processor time, in seconds. */
  cpu: 0,
  /** Data segment, in bytes. */
  data: 2,
  /** File the process writes, in bytes; Node ignores SIGXFSZ, so the write fails with EFBIG. */
  fsize: 1,
  /** flock and fcntl locks; no effect since Linux 2.4. */
  locks: 10,
  /** Memory locked in RAM, in bytes. */
  memlock: 8,
  /** POSIX message queues of the user, in bytes. */
  msgqueue: 12,
  /** Ceiling of the nice value, as 20 - nice. */
  nice: 13,
  /** Highest descriptor number plus one. */
  nofile: 7,
  /** Processes and threads of the user; not counted for root. */
  nproc: 6,
  /** Resident set, in bytes; no effect since Linux 2.4. */
  rss: 5,
  /** Real-time priority. */
  rtprio: 14,
  /** Real-time processor time without a blocking call, in microseconds. */
  rttime: 15,
  /** Queued signals of the user. */
  sigpending: 11,
  /** Stack of the main thread, in bytes. */
  stack: 3,
} as const;

export type Resource = keyof typeof RESOURCES;
