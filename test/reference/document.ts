import type { Element, Fields } from './fields.ts';
import type { Frame } from './framing.ts';
import { decode, isUtf8 } from './utf8.ts';

/** A name and its value's JSON; no value, no member. */
type Member = [name: string, json: string | undefined];

/** The JSON document of a frame with these fields. */
export function document(fields: Fields, frame: Frame): string {
  const { facility, severity, structuredData } = fields;
  return object([
    ['facility', String(facility)],
    ['severity', String(severity)],
    ['timestamp', string(fields.timestamp)],
    ['hostname', string(fields.hostname)],
    ['appname', string(fields.appname)],
    ['procid', string(fields.procid)],
    ['msgid', string(fields.msgid)],
    ['structured_data', structuredData && data(structuredData)],
    ['message', string(fields.message)],
    ['error', string(errors(fields, frame))],
    ['raw', isWellFormed(fields, frame) ? undefined : string(btoa(frame.text))],
    ['part', frame.part === 0 ? undefined : String(frame.part)],
  ]);
}

/** Also looks at the header, which a later part has from the first. */
function isWellFormed({ hostname, appname, procid, msgid }: Fields, { text }: Frame): boolean {
  return [text, hostname, appname, procid, msgid].every((bytes = '') => isUtf8(bytes));
}

function errors({ error }: Fields, { cutOff }: Frame): string | undefined {
  const short =
    cutOff && `octet count ${cutOff.promised} but the stream ended after ${cutOff.arrived}`;
  return [error, short].filter(Boolean).join('; ') || undefined;
}

/** An element or a parameter that is repeated becomes an array, in the place of the first. */
function data(elements: Element[]): string {
  const objects = elements.map(({ id, parameters }): Member => {
    const values = parameters.map(([name, value]): Member => [name, string(value)]);
    return [id, object(gathered(values))];
  });
  return object(gathered(objects));
}

function gathered(members: Member[]): Member[] {
  const names = [...new Set(members.map(([name]) => name))];
  return names.map((name) => {
    const values = members.filter((member) => member[0] === name).map(([, json]) => json);
    return [name, values.length === 1 ? values[0] : `[${values.join(',')}]`];
  });
}

/** An object's JSON: by hand, because the keys of a real object may not keep their order. */
function object(members: Member[]): string {
  const present = members.filter(([, json]) => json !== undefined);
  return `{${present.map(([name, json]) => `${string(name)}:${json}`).join(',')}}`;
}

function string(bytes: string | undefined): string | undefined {
  return bytes === undefined ? undefined : JSON.stringify(decode(bytes));
}
