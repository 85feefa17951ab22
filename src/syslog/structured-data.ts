import { BACKSLASH, CLOSE_BRACKET, DELETE, EQUALS, OPEN_BRACKET, QUOTE, SPACE } from './ascii.ts';
import type { JsonWriter } from './json.ts';

/** With more names than this, comparing each with each would cost too much. */
const MAX_COMPARED_NAMES = 32;

/**
 * Checks STRUCTURED-DATA (RFC 5424 §6.3) that begins at `at`. More is taken than the
 * grammar allows where the meaning is clear: names of any length, several spaces,
 * an unescaped `]` in a value.
 * @returns the offset behind its last element, or -1 if it is not well-formed
 */
export function skipStructuredData(bytes: Uint8Array, at: number, end: number): number {
  let next = at;
  do {
    next = skipElement(bytes, next, end);
  } while (next > 0 && next < end && bytes[next] === OPEN_BRACKET);
  return next;
}

function skipElement(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end || bytes[at] !== OPEN_BRACKET) return -1;
  let next = skipName(bytes, at + 1, end);
  if (next === at + 1) return -1;
  while (next < end && bytes[next] !== CLOSE_BRACKET) {
    const nameAt = skipSpaces(bytes, next, end);
    const nameEnd = skipName(bytes, nameAt, end);
    if (nameAt === next || nameEnd === nameAt || nameEnd + 1 >= end) return -1;
    if (bytes[nameEnd] !== EQUALS || bytes[nameEnd + 1] !== QUOTE) return -1;
    next = skipValue(bytes, nameEnd + 2, end) + 1;
  }
  return next < end ? next + 1 : -1;
}

function skipSpaces(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] === SPACE) at++;
  return at;
}

/** The end of an SD-NAME that begins at `from`. */
function skipName(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isNameByte(bytes[at])) at++;
  return at;
}

function isNameByte(byte: number): boolean {
  return (
    byte > SPACE && byte !== EQUALS && byte !== CLOSE_BRACKET && byte !== QUOTE && byte !== DELETE
  );
}

/** The offset of the quote that ends a PARAM-VALUE, or `end`. */
function skipValue(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return Math.min(at, end);
}

/**
 * Writes well-formed STRUCTURED-DATA as the members of a JSON object. A repeated
 * parameter becomes an array of its values, a repeated element one of its objects.
 */
export function writeElements(
  json: JsonWriter,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  if (hasRepeatedNames(bytes, start, end)) {
    writeGrouped(json, bytes, start, end);
    return;
  }
  let isFirst = true;
  for (let at = start; at < end; at++) {
    const idEnd = skipName(bytes, at + 1, end);
    if (!isFirst) json.comma();
    isFirst = false;
    json.name(bytes, at + 1, idEnd);
    json.open();
    at = idEnd;
    while (bytes[at] !== CLOSE_BRACKET) {
      const nameAt = skipSpaces(bytes, at, end);
      const nameEnd = skipName(bytes, nameAt, end);
      const valueEnd = skipValue(bytes, nameEnd + 2, end);
      if (at > idEnd) json.comma();
      json.name(bytes, nameAt, nameEnd);
      json.quotedValue(bytes, nameEnd + 2, valueEnd);
      at = valueEnd + 1;
    }
    json.close();
  }
}

/** Names of the elements, and of the parameters within one, as pairs of offsets. */
const ids = new Int32Array(2 * MAX_COMPARED_NAMES);
const names = new Int32Array(2 * MAX_COMPARED_NAMES);

/** Whether any name comes twice; also true where there are too many to compare. */
function hasRepeatedNames(bytes: Uint8Array, start: number, end: number): boolean {
  let idCount = 0;
  for (let at = start; at < end; at++) {
    const idEnd = skipName(bytes, at + 1, end);
    if (isKnown(bytes, ids, idCount++, at + 1, idEnd)) return true;
    let nameCount = 0;
    at = idEnd;
    while (bytes[at] !== CLOSE_BRACKET) {
      const nameAt = skipSpaces(bytes, at, end);
      const nameEnd = skipName(bytes, nameAt, end);
      if (isKnown(bytes, names, nameCount++, nameAt, nameEnd)) return true;
      at = skipValue(bytes, nameEnd + 2, end) + 1;
    }
  }
  return false;
}

/** Whether a name is among the `count` known ones; if not, it is added to them. */
function isKnown(
  bytes: Uint8Array,
  known: Int32Array,
  count: number,
  start: number,
  end: number,
): boolean {
  if (count === MAX_COMPARED_NAMES) return true;
  for (let i = 0; i < 2 * count; i += 2) {
    if (known[i + 1] - known[i] !== end - start) continue;
    let offset = 0;
    while (start + offset < end && bytes[known[i] + offset] === bytes[start + offset]) offset++;
    if (start + offset === end) return true;
  }
  known[2 * count] = start;
  known[2 * count + 1] = end;
  return false;
}

/** A name's or value's place in the frame. */
type Span = [start: number, end: number];
/** Equal names under one key, in the order of their first appearance. */
type Grouped<T> = Map<string, { name: Span; members: T[] }>;

/** The rare way, for repeated names: groups them first, by their bytes as a string. */
function writeGrouped(json: JsonWriter, bytes: Uint8Array, start: number, end: number): void {
  const elements: Grouped<Grouped<Span>> = new Map();
  for (let at = start; at < end; at++) {
    const idEnd = skipName(bytes, at + 1, end);
    const params: Grouped<Span> = new Map();
    group(elements, bytes, [at + 1, idEnd], params);
    at = idEnd;
    while (bytes[at] !== CLOSE_BRACKET) {
      const nameAt = skipSpaces(bytes, at, end);
      const nameEnd = skipName(bytes, nameAt, end);
      const valueEnd = skipValue(bytes, nameEnd + 2, end);
      group(params, bytes, [nameAt, nameEnd], [nameEnd + 2, valueEnd]);
      at = valueEnd + 1;
    }
  }
  writeGroups(json, bytes, elements, (params) => {
    json.open();
    writeGroups(json, bytes, params, ([from, to]) => json.quotedValue(bytes, from, to));
    json.close();
  });
}

function group<T>(groups: Grouped<T>, bytes: Uint8Array, name: Span, member: T): void {
  const key = Buffer.from(bytes.subarray(name[0], name[1])).toString('latin1');
  const known = groups.get(key);
  if (known) known.members.push(member);
  else groups.set(key, { name, members: [member] });
}

function writeGroups<T>(
  json: JsonWriter,
  bytes: Uint8Array,
  groups: Grouped<T>,
  write: (member: T) => void,
): void {
  let isFirst = true;
  for (const { name, members } of groups.values()) {
    if (!isFirst) json.comma();
    isFirst = false;
    json.name(bytes, name[0], name[1]);
    if (members.length > 1) json.openArray();
    members.forEach((member, i) => {
      if (i > 0) json.comma();
      write(member);
    });
    if (members.length > 1) json.closeArray();
  }
}
