// Log lines on standard output, from one file or several.
import { once } from 'node:events';
import { StringDecoder } from 'node:string_decoder';

interface Style {
  json: boolean;
  /** Whether to say which file the lines are from, as tail(1) does. */
  headings: boolean;
}

export class LogPrinter {
  readonly #style: Style;
  #last: string | undefined;
  /** For JSON, which has whole lines: what is there of the next one. */
  readonly #begun = new Map<string, { decoder: StringDecoder; text: string }>();

  constructor(style: Style) {
    this.#style = style;
    // Whoever reads has seen enough: head(1) for one.
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(0);
    });
  }

  async lines(path: string, lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await this.bytes(path, Buffer.from(`${lines.join('\n')}\n`));
  }

  /** Resolves when there is room for more. */
  async bytes(path: string, bytes: Buffer): Promise<void> {
    const text = this.#style.json ? this.#asJson(path, bytes) : bytes;
    if (text.length === 0) return;
    if (this.#style.headings && !this.#style.json && this.#last !== path) {
      process.stdout.write(`${this.#last === undefined ? '' : '\n'}==> ${path} <==\n`);
    }
    this.#last = path;
    if (!process.stdout.write(text)) await once(process.stdout, 'drain');
  }

  #asJson(file: string, bytes: Buffer): string {
    const begun = this.#begun.get(file) ?? { decoder: new StringDecoder('utf8'), text: '' };
    this.#begun.set(file, begun);
    const lines = (begun.text + begun.decoder.write(bytes)).split('\n');
    begun.text = lines.pop() ?? '';
    return lines.map((line) => `${JSON.stringify({ file, line })}\n`).join('');
  }
}
