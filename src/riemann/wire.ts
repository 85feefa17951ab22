/**
 * As much of Protocol Buffers' wire format (https://protobuf.dev/programming-guides/encoding/)
 * as Riemann needs. The methods are named after the types in a .proto file.
 */

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;
const MAX_VARINT_BYTES = 10;
const encoder = new TextEncoder();
// A byte order mark is text like any other here.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Writes the fields of one message, one after the other. */
export class Writer {
  private out = new Uint8Array(256);
  private at = 0;

  /** @param value a safe integer; what is negative takes ten bytes */
  int64(field: number, value: number): void {
    this.tag(field, VARINT);
    this.varint(BigInt.asUintN(64, BigInt(value)));
  }

  /** As {@link Writer.int64}, short for small negative numbers too (zigzag). */
  sint64(field: number, value: number): void {
    const wide = BigInt(value);
    this.tag(field, VARINT);
    this.varint((wide << 1n) ^ (wide >> 63n));
  }

  float(field: number, value: number): void {
    this.fixed(field, FIXED32, 4).setFloat32(0, value, true);
  }

  double(field: number, value: number): void {
    this.fixed(field, FIXED64, 8).setFloat64(0, value, true);
  }

  string(field: number, value: string): void {
    this.bytes(field, encoder.encode(value));
  }

  /** A message within this one, whose fields `write` writes. */
  message(field: number, write: (inner: Writer) => void): void {
    const inner = new Writer();
    write(inner);
    this.bytes(field, inner.finish());
  }

  /** What was written so far: a view, valid until more is written. */
  finish(): Uint8Array {
    return this.out.subarray(0, this.at);
  }

  private bytes(field: number, bytes: Uint8Array): void {
    this.tag(field, LENGTH_DELIMITED);
    this.varint(BigInt(bytes.length));
    const at = this.advance(bytes.length);
    this.out.set(bytes, at);
  }

  private fixed(field: number, wireType: number, bytes: number): DataView {
    this.tag(field, wireType);
    const at = this.advance(bytes);
    return new DataView(this.out.buffer, at, bytes);
  }

  private tag(field: number, wireType: number): void {
    this.varint(BigInt(field * 8 + wireType));
  }

  private varint(value: bigint): void {
    let at = this.advance(MAX_VARINT_BYTES);
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) this.out[at++] = Number(rest & 0x7fn) | 0x80;
    this.out[at++] = Number(rest);
    this.at = at;
  }

  /** @returns where to write the next `bytes` bytes, for which there is room then */
  private advance(bytes: number): number {
    const { at, out } = this;
    this.at += bytes;
    if (this.at > out.length) {
      this.out = new Uint8Array(Math.max(this.at, out.length * 2));
      this.out.set(out);
    }
    return at;
  }
}

/**
 * Reads the fields of one message. After each {@link Reader.next} that was true the
 * field's value has to be read, once, or skipped. All methods throw an Error that says
 * what is wrong with bytes that are no such message; none reads beyond their end.
 */
export class Reader {
  /** The number of the field that is to be read. */
  field = 0;
  private wireType = 0;
  private at = 0;
  private readonly input: Uint8Array;
  private readonly view: DataView;

  constructor(input: Uint8Array) {
    this.input = input;
    this.view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  }

  /** Goes on to the next field; false at the message's end. */
  next(): boolean {
    if (this.at === this.input.length) return false;
    const tag = this.varint();
    if (tag < 8n || tag > 0xffff_ffffn) throw new Error(`no field can have the tag ${tag}`);
    this.field = Number(tag >> 3n);
    this.wireType = Number(tag & 7n);
    return true;
  }

  int64(): number {
    this.expect(VARINT);
    return this.safe(BigInt.asIntN(64, this.varint()));
  }

  sint64(): number {
    this.expect(VARINT);
    const value = this.varint();
    return this.safe((value >> 1n) ^ -(value & 1n));
  }

  bool(): boolean {
    return this.int64() !== 0;
  }

  float(): number {
    this.expect(FIXED32);
    return this.view.getFloat32(this.advance(4), true);
  }

  double(): number {
    this.expect(FIXED64);
    return this.view.getFloat64(this.advance(8), true);
  }

  /** Bytes that are no UTF-8 are replaced by U+FFFD. */
  string(): string {
    return decoder.decode(this.bytes());
  }

  /** A message within this one. */
  message(): Reader {
    return new Reader(this.bytes());
  }

  /** Passes over a field that nobody knows; groups, which nobody has used for long, are refused. */
  skipValue(): void {
    if (this.wireType === VARINT) this.varint();
    else if (this.wireType === FIXED64) this.advance(8);
    else if (this.wireType === FIXED32) this.advance(4);
    else if (this.wireType === LENGTH_DELIMITED) this.bytes();
    else throw new Error(`field ${this.field} has the wire type ${this.wireType}`);
  }

  private bytes(): Uint8Array {
    this.expect(LENGTH_DELIMITED);
    const length = Number(this.varint());
    const start = this.advance(length);
    return this.input.subarray(start, this.at);
  }

  private varint(): bigint {
    let value = 0n;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.input[this.advance(1)];
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Error('an integer of more than 64 bits');
  }

  private safe(value: bigint): number {
    if (Number.isSafeInteger(Number(value))) return Number(value);
    throw new Error(`field ${this.field} is ${value}, which is too large`);
  }

  private expect(wireType: number): void {
    if (this.wireType === wireType) return;
    throw new Error(`field ${this.field} has the wire type ${this.wireType}, not ${wireType}`);
  }

  /** @returns where the next `bytes` bytes begin */
  private advance(bytes: number): number {
    if (bytes > this.input.length - this.at) throw new Error('it ends too early');
    this.at += bytes;
    return this.at - bytes;
  }
}
