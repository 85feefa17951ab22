import { ascii, JsonWriter, Literal } from './json.ts';
import { MAX_REPEATED_HEADER_BYTES, type Message } from './message.ts';

/** How a document begins, by facility and severity. */
const HEADS = Array.from(
  { length: 192 },
  (_, priority) => new Literal(`{"facility":${priority >> 3},"severity":${priority & 7}`),
);
const TIMESTAMP = new Literal(',"timestamp":"');
const HOSTNAME = new Literal(',"hostname":');
const APPNAME = new Literal(',"appname":');
const PROCID = new Literal(',"procid":');
const MSGID = new Literal(',"msgid":');
const STRUCTURED_DATA = new Literal(',"structured_data":{');
const SEQUENCE_ID = new Literal('"meta":{"sequenceId":');
const UNSYNCED = new Literal('"timeQuality":{"isSynced":"0"}');
const MESSAGE = new Literal(',"message":');
const ERROR = new Literal(',"error":');
const RAW = new Literal(',"raw":"');
const PART = new Literal(',"part":');

/** All names, punctuation, numbers, a timestamp and an error, and what a literal writes too many. */
const FIXED_BYTES = 640;
/** The longest JSON escape of one byte: `\u0000`. */
const LONGEST_ESCAPE = 6;

const json = new JsonWriter();

/**
 * The most bytes that the document of a frame can take: every byte escaped, and
 * the frame once more in base64.
 * @param frameBytes the frame's length
 * @param part the frame's part number; parts after the first repeat its header
 */
export function documentBound(frameBytes: number, part = 0): number {
  const repeated = part > 1 ? LONGEST_ESCAPE * MAX_REPEATED_HEADER_BYTES : 0;
  return LONGEST_ESCAPE * frameBytes + Math.ceil(frameBytes / 3) * 4 + repeated + FIXED_BYTES;
}

/**
 * Writes a message as one JSON document, UTF-8 and without spaces; absent fields
 * are left out.
 * @param out has room for {@link documentBound} bytes from `at` on
 * @returns the offset behind the document
 */
export function writeDocument(message: Message, out: Uint8Array, at: number): number {
  const { header } = message;
  json.begin(out, at);

  json.literal(HEADS[message.facility * 8 + message.severity]);
  if (message.timestampEnd > message.timestampStart) {
    json.literal(TIMESTAMP);
    json.copy(message.timestamp, message.timestampStart, message.timestampEnd);
    json.out[json.at++] = 0x22;
  }
  writeField(HOSTNAME, header, message.hostnameStart, message.hostnameEnd);
  writeField(APPNAME, header, message.appnameStart, message.appnameEnd);
  writeField(PROCID, header, message.procidStart, message.procidEnd);
  writeField(MSGID, header, message.msgidStart, message.msgidEnd);
  writeStructuredData(message);
  if (message.hasText) {
    json.literal(MESSAGE);
    json.string(message.frame, message.textStart, message.textEnd);
  }
  if (message.error !== '') {
    json.literal(ERROR);
    const error = ascii(message.error);
    json.string(error, 0, error.length);
  }
  if (json.malformed) {
    json.literal(RAW);
    json.base64(message.frame, message.start, message.frameEnd);
    json.out[json.at++] = 0x22;
  }
  if (message.part > 0) {
    json.literal(PART);
    json.number(message.part);
  }
  json.close();
  return json.at;
}

function writeField(name: Literal, bytes: Uint8Array, start: number, end: number): void {
  if (start === end) return;
  json.literal(name);
  json.string(bytes, start, end);
}

function writeStructuredData(message: Message): void {
  const { header, structuredData, sequenceIdStart, sequenceIdEnd } = message;
  const hasSequenceId = sequenceIdEnd > sequenceIdStart;
  if (structuredData.isEmpty && !hasSequenceId && !message.unsynced) return;
  json.literal(STRUCTURED_DATA);
  if (!structuredData.isEmpty) structuredData.write(json, header);
  if (hasSequenceId) {
    json.literal(SEQUENCE_ID);
    json.string(header, sequenceIdStart, sequenceIdEnd);
    json.close();
    if (message.unsynced) json.comma();
  }
  if (message.unsynced) json.literal(UNSYNCED);
  json.close();
}
