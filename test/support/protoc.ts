import { spawnSync } from 'node:child_process';
import { dieWithUs } from './process.ts';

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** An event as protoc decodes it: with the names and numbers of riemann.proto. */
export interface ReceivedEvent {
  time?: number;
  state?: string;
  service?: string;
  host?: string;
  description?: string;
  tags: string[];
  ttl?: number;
  attributes: Record<string, string>;
  time_micros?: number;
  metric_sint64?: number;
  metric_d?: number;
  metric_f?: number;
}

/** A message as protoc decodes it. */
export interface ReceivedMessage {
  ok?: boolean;
  error?: string;
  events: ReceivedEvent[];
}

/** A message in protoc's text format: each field has one value or several. */
type Fields = Map<string, (string | number | boolean | Fields)[]>;

/** Decodes a Msg with Debian's protoc; throws if it is none, or holds fields that are unknown. */
export function decodeWithProtoc(bytes: Uint8Array): ReceivedMessage {
  const fields = parseText(protoc('--decode=Msg', bytes).toString('latin1'));
  const events = (fields.get('events') ?? []) as Fields[];
  return { ...singles(fields), events: events.map(readEvent) };
}

/** Encodes a Msg that is written in protoc's text format, such as `ok: false error: "no"`. */
export function encodeWithProtoc(text: string): Uint8Array {
  return new Uint8Array(protoc('--encode=Msg', text));
}

function protoc(what: string, input: string | Uint8Array): Buffer {
  const [program, ...args] = [
    ...[...dieWithUs, 'protoc', what, `--proto_path=${import.meta.dirname}`],
    'riemann.proto',
  ];
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    input,
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`protoc ${what}: ${stderr.toString().trim()}`);
  return stdout;
}

function readEvent(fields: Fields): ReceivedEvent {
  const attributes = ((fields.get('attributes') ?? []) as Fields[]).map((attribute) => [
    attribute.get('key')?.[0],
    attribute.get('value')?.[0],
  ]);
  return {
    ...singles(fields),
    tags: (fields.get('tags') ?? []) as string[],
    attributes: Object.fromEntries(attributes),
  };
}

function singles(fields: Fields): object {
  const repeated = ['events', 'tags', 'attributes'];
  const entries = [...fields].filter(([name]) => !repeated.includes(name));
  return Object.fromEntries(entries.map(([name, [value]]) => [name, value]));
}

/** Parses what protoc prints: one field a line, a message's fields between braces. */
function parseText(text: string): Fields {
  const outer: Fields[] = [new Map()];
  for (const line of text.split('\n')) {
    const [, name, value] = line.match(/^\s*(\w+)(?:: (.*)| \{)$/) ?? [];
    if (/^\s*\}$/.test(line)) outer.pop();
    if (!name) continue;
    // protoc has only the number of a field that is not in riemann.proto.
    if (/^\d/.test(name)) throw new Error(`field ${name} is unknown`);
    const into = outer[outer.length - 1];
    const parsed = value === undefined ? (new Map() as Fields) : parseValue(value);
    into.set(name, [...(into.get(name) ?? []), parsed]);
    if (parsed instanceof Map) outer.push(parsed);
  }
  return outer[0];
}

function parseValue(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  if (text.startsWith('"')) return unescapeText(text.slice(1, -1));
  const number = Number(text.replace('inf', 'Infinity'));
  if (/^-?\d+$/.test(text) && BigInt(number) !== BigInt(text))
    throw new Error(`${text} is rounded`);
  return number;
}

/** A string's bytes are printed as in C, those that are no ASCII in octal. */
function unescapeText(text: string): string {
  const named: Record<string, string> = { n: '\n', r: '\r', t: '\t' };
  const bytes = text.replace(/\\(?:([0-7]{3})|(.))/g, (_, octal, character) =>
    octal ? String.fromCharCode(Number.parseInt(octal, 8)) : (named[character] ?? character),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
