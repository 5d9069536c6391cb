/** A stream of bytes that is looked at ahead of where it is taken from; it holds no more than what is looked at. */

const firstCapacity = 1 << 20;

export type Bytes = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export class ByteWindow {
  /** Number of the line in which the next byte lies, from 1. */
  line = 1;
  readonly #chunks: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  #buffer = Buffer.allocUnsafe(firstCapacity);
  #start = 0;
  #end = 0;
  #ended = false;

  constructor(chunks: Bytes) {
    this.#chunks = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  }

  /** What lies ahead: at least `count` bytes, unless the stream ends before. Valid until the next call. */
  async ahead(count: number): Promise<Buffer> {
    while (this.#end - this.#start < count && (await this.#read()));
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** Whether a text in ASCII or Latin-1 lies ahead. */
  async begins(text: string): Promise<boolean> {
    return (await this.ahead(text.length)).toString("latin1", 0, text.length) === text;
  }

  /** Where `needle` lies ahead, from `from` on; -1 where it does not within `limit` bytes or before the end. */
  async find(needle: Uint8Array, from: number, limit: number): Promise<number> {
    for (let next = from; ;) {
      const at = this.#buffer.subarray(this.#start, this.#end).indexOf(needle, next);
      if (at >= 0) return at;
      const held = this.#end - this.#start;
      if (held >= limit) return -1;
      next = Math.max(from, held - needle.length + 1);
      if (!(await this.#read())) return -1;
    }
  }

  /** The number of the line that begins after `count` bytes ahead that end with a newline. */
  lineAfter(count: number): number {
    const { buffer, byteOffset } = this.#buffer;
    const bytes = new Uint8Array(buffer, byteOffset + this.#start, Math.min(count, this.#end - this.#start));
    let { line } = this;
    for (let i = 0; i < bytes.length; i++) if (bytes[i] === 10) line++;
    return line;
  }

  /** Takes bytes that were looked at. */
  take(count: number): Buffer<ArrayBuffer> {
    const ahead = this.#buffer.subarray(this.#start, this.#start + count);
    if (count < firstCapacity) {
      const taken = Buffer.from(ahead);
      this.skip(count);
      return taken;
    }
    // A large piece is handed out as it lies; what is left moves to a new buffer.
    const rest = this.#buffer.subarray(this.#start + count, this.#end);
    this.line = this.lineAfter(count);
    this.#buffer = Buffer.allocUnsafe(Math.max(firstCapacity, 2 * rest.length));
    this.#buffer.set(rest);
    this.#start = 0;
    this.#end = rest.length;
    return ahead;
  }

  skip(count: number): void {
    this.line = this.lineAfter(count);
    this.#start += count;
  }

  /** Ends the stream early. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #read(): Promise<boolean> {
    if (this.#ended) return false;
    const next = await this.#chunks.next();
    if (next.done === true) {
      this.#ended = true;
      return false;
    }
    this.#makeRoom(next.value.length);
    this.#buffer.set(next.value, this.#end);
    this.#end += next.value.length;
    return true;
  }

  #makeRoom(count: number): void {
    if (this.#buffer.length - this.#end >= count) return;
    const held = this.#end - this.#start;
    const whole = held + count > this.#buffer.length / 2 ? Buffer.allocUnsafe(2 * (held + count)) : this.#buffer;
    this.#buffer.copy(whole, 0, this.#start, this.#end);
    this.#buffer = whole;
    this.#start = 0;
    this.#end = held;
  }
}
