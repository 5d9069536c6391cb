/** What a check of a genome found wrong: the first of it in words, all of it counted. */

const keptLines = 100;

export class Findings {
  count = 0;
  readonly lines: string[] = [];

  add(line: string): void {
    this.count++;
    if (this.lines.length < keptLines) this.lines.push(line);
  }
}
