/** A binary heap of symbol pairs for BPE training: most frequent first, then the pair of smallest ids. */

export interface QueuedPair {
  readonly left: number;
  readonly right: number;
  readonly count: number;
}

export interface PairQueue {
  push(pair: QueuedPair): void;
  pop(): QueuedPair | undefined;
}

export function createPairQueue(): PairQueue {
  const heap: QueuedPair[] = [];
  return {
    push(pair) {
      let at = heap.length;
      heap.push(pair);
      while (at > 0) {
        const parent = (at - 1) >> 1;
        const above = heap[parent]!;
        if (!before(pair, above)) break;
        heap[at] = above;
        at = parent;
      }
      heap[at] = pair;
    },
    pop() {
      const top = heap[0];
      const last = heap.pop();
      if (top === undefined || last === undefined || heap.length === 0) return top;
      let at = 0;
      for (let child = 1; child < heap.length; child = 2 * at + 1) {
        if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
        if (!before(heap[child]!, last)) break;
        heap[at] = heap[child]!;
        at = child;
      }
      heap[at] = last;
      return top;
    },
  };
}

function before(one: QueuedPair, other: QueuedPair): boolean {
  if (one.count !== other.count) return one.count > other.count;
  return one.left !== other.left ? one.left < other.left : one.right < other.right;
}
