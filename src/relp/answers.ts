import { ZERO } from '../syslog/ascii.ts';

/** Transaction numbers go from 1 to this, and begin again. */
const LAST_TRANSACTION = 999_999_999;
const OK = new TextEncoder().encode(' rsp 6 200 OK\n');
const MAX_ANSWER_BYTES = 9 + OK.length;

/** The transaction number after another. */
export function nextTransaction(transaction: number): number {
  return transaction < LAST_TRANSACTION ? transaction + 1 : 1;
}

/** Frames with consecutive transaction numbers. */
export interface Run {
  first: number;
  count: number;
}

/** What acknowledges frames, each with an answer of its own: `TXNR rsp 6 200 OK`. */
export function encodeAcknowledgements(runs: readonly Run[]): Uint8Array {
  const out = new Uint8Array(runs.reduce((sum, { count }) => sum + count * MAX_ANSWER_BYTES, 0));
  let at = 0;
  for (const { first, count } of runs) {
    let transaction = first;
    for (let i = 0; i < count; i++) {
      at = writeNumber(out, at, transaction);
      out.set(OK, at);
      at += OK.length;
      transaction = nextTransaction(transaction);
    }
  }
  return out.subarray(0, at);
}

/** An answer with other data, or with none. */
export function encodeAnswer(transaction: number, data = ''): Uint8Array {
  return encodeFrame(transaction, 'rsp', data);
}

/** Tells the client that nothing more is taken and the connection ends. */
export function encodeServerClose(): Uint8Array {
  return encodeFrame(0, 'serverclose', '');
}

function encodeFrame(transaction: number, command: string, data: string): Uint8Array {
  const { length } = new TextEncoder().encode(data);
  const tail = length > 0 ? ` ${data}` : '';
  return new TextEncoder().encode(`${transaction} ${command} ${length}${tail}\n`);
}

function writeNumber(out: Uint8Array, at: number, number: number): number {
  let digits = 1;
  for (let limit = 10; number >= limit; limit *= 10) digits += 1;
  let rest = number;
  for (let i = at + digits - 1; i >= at; i--) {
    out[i] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return at + digits;
}
