/** The table of all ops: what the tests run over. */

import {
  addOp,
  broadcastToOp,
  logOp,
  maxLastOp,
  mulOp,
  reciprocalOp,
  scaleOp,
  sigmoidOp,
  siluOp,
  subOp,
  sumToOp,
} from "./elementwise.ts";
import type { OpRecord } from "./graph.ts";
import { addAtOp, concatOp, padOp, pickOp, reshapeOp, sliceOp, transposeOp } from "./layout.ts";
import { loraLinearOp, matmulOp } from "./matmul.ts";
import { attentionOp, crossEntropyOp, rmsNormOp, ropeOp, softmaxOp } from "./neural.ts";

export const ops: readonly OpRecord[] = [
  addOp,
  subOp,
  mulOp,
  scaleOp,
  sigmoidOp,
  siluOp,
  logOp,
  reciprocalOp,
  sumToOp,
  maxLastOp,
  broadcastToOp,
  reshapeOp,
  transposeOp,
  pickOp,
  addAtOp,
  concatOp,
  sliceOp,
  padOp,
  matmulOp,
  loraLinearOp,
  softmaxOp,
  rmsNormOp,
  ropeOp,
  crossEntropyOp,
  attentionOp,
];
