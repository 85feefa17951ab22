import { Reader, Writer } from './wire.ts';

/**
 * Riemann's messages, as far as a client that sends events needs them. The field numbers
 * in parentheses are those of
 * https://github.com/riemann/riemann-java-client (…/proto/riemann/proto.proto, proto2).
 */

/** An event; each field may be absent. */
export interface RiemannEvent {
  /** When it happened, in whole s since 1970 (1: int64). */
  time?: number;
  /** The same in µs; it goes before `time` (10: int64). */
  timeMicros?: number;
  /** Any short word, such as "ok", "warning", "critical" (2: string). */
  state?: string;
  /** What it is about, such as "syslogger received" (3: string). */
  service?: string;
  /** Where it happened (4: string). */
  host?: string;
  /** Free text (5: string). */
  description?: string;
  /** (7: repeated string) */
  tags?: readonly string[];
  /** For how many s the server considers it valid (8: float). */
  ttl?: number;
  /** More fields, by name (9: repeated Attribute, of which 1: key and 2: value are strings). */
  attributes?: Readonly<Record<string, string>>;
  /** A number: a safe integer (13: sint64), any other one (14: double); 15 is a float. */
  metric?: number;
}

/** What goes both ways: events to the server, and its answer. */
export interface RiemannMessage {
  /** Whether the server took the message (2: bool). */
  ok?: boolean;
  /** Why it did not (3: string). */
  error?: string;
  /** (6: repeated Event) */
  events?: readonly RiemannEvent[];
}

/**
 * Encodes a message (without the length that goes before it on TCP). Never throws: times
 * are rounded down to whole numbers, and a number that its field can't hold, such as NaN,
 * is left out.
 */
export function encodeMessage(message: RiemannMessage): Uint8Array {
  const out = new Writer();
  if (message.ok !== undefined) out.int64(2, message.ok ? 1 : 0);
  if (message.error !== undefined) out.string(3, message.error);
  for (const event of message.events ?? []) out.message(6, (inner) => writeEvent(inner, event));
  return out.finish();
}

/**
 * Decodes a message; fields that are not listed above are skipped. Of several metrics
 * the integer goes before the double, and this before the float, as in the server.
 * @throws {Error} saying what is wrong, if it is malformed, or if an integer is not safe
 */
export function decodeMessage(bytes: Uint8Array): RiemannMessage {
  const message: RiemannMessage = {};
  const events: RiemannEvent[] = [];
  const reader = new Reader(bytes);
  while (reader.next()) {
    if (reader.field === 2) message.ok = reader.bool();
    else if (reader.field === 3) message.error = reader.string();
    else if (reader.field === 6) events.push(readEvent(reader.message()));
    else reader.skipValue();
  }
  if (events.length > 0) message.events = events;
  return message;
}

function writeEvent(out: Writer, event: RiemannEvent): void {
  writeTime(out, 1, event.time);
  if (event.state !== undefined) out.string(2, event.state);
  if (event.service !== undefined) out.string(3, event.service);
  if (event.host !== undefined) out.string(4, event.host);
  if (event.description !== undefined) out.string(5, event.description);
  for (const tag of event.tags ?? []) out.string(7, tag);
  const ttl = Math.fround(event.ttl ?? Number.NaN);
  if (Number.isFinite(ttl)) out.float(8, ttl);
  for (const [key, value] of Object.entries(event.attributes ?? {})) {
    out.message(9, (inner) => {
      inner.string(1, key);
      inner.string(2, value);
    });
  }
  writeTime(out, 10, event.timeMicros);
  const { metric = Number.NaN } = event;
  if (Number.isSafeInteger(metric)) out.sint64(13, metric);
  else if (Number.isFinite(metric)) out.double(14, metric);
}

function writeTime(out: Writer, field: number, time = Number.NaN): void {
  const whole = Math.floor(time);
  if (Number.isSafeInteger(whole)) out.int64(field, whole);
}

function readEvent(reader: Reader): RiemannEvent {
  const event: RiemannEvent = {};
  const tags: string[] = [];
  const attributes: [key: string, value: string][] = [];
  let integer: number | undefined;
  let double: number | undefined;
  let float: number | undefined;
  while (reader.next()) {
    if (reader.field === 1) event.time = reader.int64();
    else if (reader.field === 2) event.state = reader.string();
    else if (reader.field === 3) event.service = reader.string();
    else if (reader.field === 4) event.host = reader.string();
    else if (reader.field === 5) event.description = reader.string();
    else if (reader.field === 7) tags.push(reader.string());
    else if (reader.field === 8) event.ttl = reader.float();
    else if (reader.field === 9) attributes.push(readAttribute(reader.message()));
    else if (reader.field === 10) event.timeMicros = reader.int64();
    else if (reader.field === 13) integer = reader.sint64();
    else if (reader.field === 14) double = reader.double();
    else if (reader.field === 15) float = reader.float();
    else reader.skipValue();
  }
  if (tags.length > 0) event.tags = tags;
  // Unlike an assignment this takes any key for what it is, "__proto__" too.
  if (attributes.length > 0) event.attributes = Object.fromEntries(attributes);
  const metric = integer ?? double ?? float;
  if (metric !== undefined) event.metric = metric;
  return event;
}

function readAttribute(reader: Reader): [key: string, value: string] {
  let key = '';
  let value = '';
  while (reader.next()) {
    if (reader.field === 1) key = reader.string();
    else if (reader.field === 2) value = reader.string();
    else reader.skipValue();
  }
  return [key, value];
}
