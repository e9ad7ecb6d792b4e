import type { Row } from './report.js';

/** A benchmark: one or more figures that belong together. */
export interface Bench {
  name: string;
  /** What is compared, in a line. */
  summary: string;
  /** How many samples of each side, unless told otherwise. */
  samples: number;
  /** @param node the Node binary to measure */
  run(node: string, samples: number): Promise<Row[]>;
}
