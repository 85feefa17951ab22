import { ascii, JsonWriter } from './json.ts';
import { MAX_REPEATED_HEADER_BYTES, type Message } from './message.ts';
import { writeElements } from './structured-data.ts';

const FACILITY = ascii('{"facility":');
const SEVERITY = ascii(',"severity":');
const TIMESTAMP = ascii(',"timestamp":"');
const HOSTNAME = ascii(',"hostname":');
const APPNAME = ascii(',"appname":');
const PROCID = ascii(',"procid":');
const MSGID = ascii(',"msgid":');
const STRUCTURED_DATA = ascii(',"structured_data":{');
const SEQUENCE_ID = ascii('"meta":{"sequenceId":');
const UNSYNCED = ascii('"timeQuality":{"isSynced":"0"}');
const MESSAGE = ascii(',"message":');
const ERROR = ascii(',"error":');
const RAW = ascii(',"raw":"');
const PART = ascii(',"part":');

/** All names, punctuation, numbers, a timestamp and an error. */
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
  json.out = out;
  json.at = at;
  json.malformed = false;

  json.literal(FACILITY);
  json.number(message.facility);
  json.literal(SEVERITY);
  json.number(message.severity);
  if (message.timestampEnd > message.timestampStart) {
    json.literal(TIMESTAMP);
    json.text(message.timestamp, message.timestampStart, message.timestampEnd);
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

function writeField(name: Uint8Array, bytes: Uint8Array, start: number, end: number): void {
  if (start === end) return;
  json.literal(name);
  json.string(bytes, start, end);
}

function writeStructuredData(message: Message): void {
  const { header, structuredDataStart, structuredDataEnd, sequenceIdStart, sequenceIdEnd } =
    message;
  const hasElements = structuredDataEnd > structuredDataStart;
  const hasSequenceId = sequenceIdEnd > sequenceIdStart;
  if (!hasElements && !hasSequenceId && !message.unsynced) return;
  json.literal(STRUCTURED_DATA);
  if (hasElements) writeElements(json, header, structuredDataStart, structuredDataEnd);
  if (hasSequenceId) {
    json.literal(SEQUENCE_ID);
    json.string(header, sequenceIdStart, sequenceIdEnd);
    json.close();
    if (message.unsynced) json.comma();
  }
  if (message.unsynced) json.literal(UNSYNCED);
  json.close();
}
