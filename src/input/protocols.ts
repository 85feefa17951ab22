import type { Log } from '../log.ts';
import type { Connection } from '../runtime/runtime.ts';
import type { Format } from '../syslog/format.ts';
import type { Endpoint } from './endpoint.ts';
import type { InputStream, StreamEvents, StreamOptions } from './input-stream.ts';
import { RelpSession } from './relp-session.ts';
import { SyslogStream } from './syslog-stream.ts';

/** What all streams are given. */
export interface ProtocolOptions extends Omit<StreamOptions, 'formatter' | keyof StreamEvents> {
  log: Log;
  format: Format;
  /** Longer messages are forwarded in parts. */
  maxMessageBytes: number;
}

/** Makes the stream of a connection. */
export type CreateStream = (connection: Connection, events: StreamEvents) => InputStream;

/** What is spoken on the connections that come to an endpoint. */
export function protocolOf(
  endpoint: Endpoint,
  { log, format, ...options }: ProtocolOptions,
): CreateStream {
  const isRelp = endpoint.scheme === 'relp' || endpoint.scheme === 'relps';
  const optionsOf = (events: StreamEvents) => ({
    ...options,
    ...events,
    formatter: format.formatter(),
  });
  if (!isRelp) {
    const onForeign = (peer: string, protocol: string) =>
      log.repeated(
        `foreign ${protocol}`,
        `${peer} speaks ${protocol} to a plain syslog port: what it sends is forwarded as it is`,
      );
    return (connection, events) =>
      new SyslogStream(connection, { ...optionsOf(events), onForeign });
  }
  const onViolation = (peer: string, problem: string, protocol?: string) => {
    const said = protocol ? `${protocol} to a RELP port` : `no RELP: ${problem}`;
    log.repeated('no RELP', `${peer} speaks ${said}: the connection is closed`);
  };
  return (connection, events) => new RelpSession(connection, { ...optionsOf(events), onViolation });
}
