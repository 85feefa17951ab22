import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  DELETE,
  EQUALS,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
} from './ascii.ts';
import { copyPlain, type JsonWriter } from './json.ts';

/** With more pieces than this, comparing each name with each would cost too much. */
const MAX_COMPARED = 64;
/** How many pieces there is room for at first. */
const FIRST_CAPACITY = 64;
/** Room for more than this is given back. */
const KEPT_CAPACITY = 4_096;

// What is kept of a piece, which is an element or a parameter: offsets into the frame.
const NAME_START = 0;
const NAME_END = 1;
/** {@link NO_VALUE} for an element. */
const VALUE_START = 2;
const VALUE_END = 3;
/** 1 where the value holds a backslash. */
const HAS_BACKSLASH = 4;
const PIECE = 5;

const NO_VALUE = -1;

/** A piece, by its index in `pieces`. */
type Piece = number;
/** Equal names under one key, in the order of their first appearance. */
type Grouped<T> = Map<string, { name: Piece; members: T[] }>;

/**
 * STRUCTURED-DATA (RFC 5424 §6.3) as the places of its pieces, each element before its
 * parameters, so that what has been found need not be looked for again.
 */
export class StructuredData {
  private pieces = new Int32Array(PIECE * FIRST_CAPACITY);
  private end = 0;
  /** A name comes twice, or there are too many to say. */
  private mayRepeat = false;
  /** The marks of the names so far: of the elements, and of the parameters of the present one. */
  private seenIds = 0;
  private seenNames = 0;

  get isEmpty(): boolean {
    return this.end === 0;
  }

  clear(): void {
    this.end = 0;
    if (this.pieces.length > PIECE * KEPT_CAPACITY) {
      this.pieces = new Int32Array(PIECE * FIRST_CAPACITY);
    }
  }

  /**
   * Reads what begins at `at`. More is taken than the grammar allows where the meaning is
   * clear: names of any length, several spaces, an unescaped `]` in a value.
   * @returns the offset behind its last element, or -1 if it is not well-formed
   */
  read(bytes: Uint8Array, at: number, end: number): number {
    this.end = 0;
    this.mayRepeat = false;
    this.seenIds = 0;
    let next = at;
    do {
      next = this.readElement(bytes, next, end);
    } while (next > 0 && next < end && bytes[next] === OPEN_BRACKET);
    if (next < 0) this.end = 0;
    return next;
  }

  private readElement(bytes: Uint8Array, at: number, end: number): number {
    if (at >= end || bytes[at] !== OPEN_BRACKET) return -1;
    let next = skipName(bytes, at + 1, end);
    if (next === at + 1) return -1;
    this.seenNames = 0;
    this.add(at + 1, next, NO_VALUE, 0, 0);
    const id = this.end - PIECE;
    const idMark = markOf(bytes, at + 1, next);
    if ((this.seenIds & idMark) !== 0) this.compare(bytes, 0, id);
    this.seenIds |= idMark;
    while (next < end && bytes[next] !== CLOSE_BRACKET) {
      const nameAt = skipSpaces(bytes, next, end);
      const nameEnd = skipName(bytes, nameAt, end);
      if (nameAt === next || nameEnd === nameAt || nameEnd + 1 >= end) return -1;
      if (bytes[nameEnd] !== EQUALS || bytes[nameEnd + 1] !== QUOTE) return -1;
      const valueAt = nameEnd + 2;
      let valueEnd = valueAt;
      let hasBackslash = 0;
      while (valueEnd < end && bytes[valueEnd] !== QUOTE) {
        if (bytes[valueEnd] === BACKSLASH) {
          hasBackslash = 1;
          valueEnd += 1;
        }
        valueEnd += 1;
      }
      if (valueEnd >= end) return -1;
      this.add(nameAt, nameEnd, valueAt, valueEnd, hasBackslash);
      const mark = markOf(bytes, nameAt, nameEnd);
      if ((this.seenNames & mark) !== 0) this.compare(bytes, id + PIECE, this.end - PIECE);
      this.seenNames |= mark;
      next = valueEnd + 1;
    }
    return next < end ? next + 1 : -1;
  }

  private add(
    nameStart: number,
    nameEnd: number,
    valueStart: number,
    valueEnd: number,
    hasBackslash: number,
  ): void {
    const at = this.end;
    if (at === this.pieces.length) this.grow();
    const { pieces } = this;
    pieces[at + NAME_START] = nameStart;
    pieces[at + NAME_END] = nameEnd;
    pieces[at + VALUE_START] = valueStart;
    pieces[at + VALUE_END] = valueEnd;
    pieces[at + HAS_BACKSLASH] = hasBackslash;
    this.end = at + PIECE;
  }

  /** Looks whether a piece has the name of one of its kind, from `first` on. */
  private compare(bytes: Uint8Array, first: Piece, piece: Piece): void {
    const { pieces } = this;
    if (piece >= PIECE * MAX_COMPARED) this.mayRepeat = true;
    for (let other = first; other < piece && !this.mayRepeat; other += PIECE) {
      const isSameKind = pieces[other + VALUE_START] < 0 === pieces[piece + VALUE_START] < 0;
      if (isSameKind && this.haveSameName(bytes, other, piece)) this.mayRepeat = true;
    }
  }

  private haveSameName(bytes: Uint8Array, a: Piece, b: Piece): boolean {
    const { pieces } = this;
    const start = pieces[a + NAME_START];
    const length = pieces[a + NAME_END] - start;
    const other = pieces[b + NAME_START];
    if (pieces[b + NAME_END] - other !== length) return false;
    let i = 0;
    while (i < length && bytes[start + i] === bytes[other + i]) i++;
    return i === length;
  }

  private grow(): void {
    const grown = new Int32Array(2 * this.pieces.length);
    grown.set(this.pieces);
    this.pieces = grown;
  }

  /**
   * Writes it as the members of a JSON object. A repeated parameter becomes an array of
   * its values, a repeated element one of its objects.
   */
  write(json: JsonWriter, bytes: Uint8Array): void {
    if (this.mayRepeat) {
      this.writeGrouped(json, bytes);
      return;
    }
    // As writeName and writeValue do, but with what is common to all of them in locals: names and
    // values are short and many.
    const { pieces, end } = this;
    const { view } = json;
    const source = json.viewOf(bytes);
    let { at } = json;
    let isFirstParam = true;
    for (let piece = 0; piece < end; piece += PIECE) {
      const isElement = pieces[piece + VALUE_START] === NO_VALUE;
      if (isElement && piece > 0) view.setUint8(at++, CLOSE_BRACE);
      if (isElement ? piece > 0 : !isFirstParam) view.setUint8(at++, COMMA);
      isFirstParam = isElement;
      view.setUint8(at, QUOTE);
      const nameEnd = copyPlain(
        view,
        at + 1,
        source,
        pieces[piece + NAME_START],
        pieces[piece + NAME_END],
      );
      if (nameEnd < 0) {
        json.at = at;
        this.writeName(json, bytes, piece);
        at = json.at;
      } else {
        view.setUint8(nameEnd, QUOTE);
        view.setUint8(nameEnd + 1, COLON);
        at = nameEnd + 2;
      }
      if (isElement) {
        view.setUint8(at++, OPEN_BRACE);
        continue;
      }
      view.setUint8(at, QUOTE);
      const valueEnd =
        pieces[piece + HAS_BACKSLASH] === 1
          ? -1
          : copyPlain(view, at + 1, source, pieces[piece + VALUE_START], pieces[piece + VALUE_END]);
      if (valueEnd < 0) {
        json.at = at;
        this.writeValue(json, bytes, piece);
        at = json.at;
      } else {
        view.setUint8(valueEnd, QUOTE);
        at = valueEnd + 1;
      }
    }
    json.at = at;
    json.close();
  }

  /** The rare way, for repeated names: groups them first, by their bytes as a string. */
  private writeGrouped(json: JsonWriter, bytes: Uint8Array): void {
    const { pieces, end } = this;
    const elements: Grouped<Grouped<Piece>> = new Map();
    let params: Grouped<Piece> = new Map();
    for (let piece = 0; piece < end; piece += PIECE) {
      const name = latin1(bytes, pieces[piece + NAME_START], pieces[piece + NAME_END]);
      if (pieces[piece + VALUE_START] === NO_VALUE) {
        params = new Map();
        group(elements, name, piece, params);
      } else {
        group(params, name, piece, piece);
      }
    }
    this.writeGroups(json, bytes, elements, (element) => {
      json.open();
      this.writeGroups(json, bytes, element, (param) => this.writeValue(json, bytes, param));
      json.close();
    });
  }

  private writeGroups<T>(
    json: JsonWriter,
    bytes: Uint8Array,
    groups: Grouped<T>,
    write: (member: T) => void,
  ): void {
    let isFirst = true;
    for (const { name, members } of groups.values()) {
      if (!isFirst) json.comma();
      isFirst = false;
      this.writeName(json, bytes, name);
      if (members.length > 1) json.openArray();
      members.forEach((member, i) => {
        if (i > 0) json.comma();
        write(member);
      });
      if (members.length > 1) json.closeArray();
    }
  }

  private writeName(json: JsonWriter, bytes: Uint8Array, piece: Piece): void {
    json.name(bytes, this.pieces[piece + NAME_START], this.pieces[piece + NAME_END]);
  }

  private writeValue(json: JsonWriter, bytes: Uint8Array, piece: Piece): void {
    const { pieces } = this;
    const start = pieces[piece + VALUE_START];
    const end = pieces[piece + VALUE_END];
    if (pieces[piece + HAS_BACKSLASH] === 1) json.quotedValue(bytes, start, end);
    else json.string(bytes, start, end);
  }
}

/** A bit that two names have in common where they may be the same; most differ in it. */
function markOf(bytes: Uint8Array, start: number, end: number): number {
  return 1 << (bytes[start] + 5 * bytes[end - 1] + 11 * (end - start));
}

function skipSpaces(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] === SPACE) at++;
  return at;
}

/** The end of an SD-NAME that begins at `from`. */
function skipName(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && NAME_BYTE[bytes[at]] === 1) at++;
  return at;
}

/** 1 for a byte that an SD-NAME may hold: printable, and none of `= ] "`. */
const NAME_BYTE = new Uint8Array(256).fill(1, SPACE + 1);
for (const byte of [EQUALS, CLOSE_BRACKET, QUOTE, DELETE]) NAME_BYTE[byte] = 0;

function group<T>(groups: Grouped<T>, key: string, name: Piece, member: T): void {
  const known = groups.get(key);
  if (known) known.members.push(member);
  else groups.set(key, { name, members: [member] });
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.subarray(start, end)).toString('latin1');
}
