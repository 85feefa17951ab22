import type { Syslogger } from './syslogger.ts';
import { waitFor } from './wait.ts';

/** A document as the daemon writes it; only what the tests look at. */
export interface Document {
  timestamp?: string;
  appname?: string;
  message?: string;
  error?: string;
  raw?: string;
  part?: number;
}

/** Waits until a daemon that runs with `--stdout` has written so many documents. */
export async function waitForDocuments(daemon: Syslogger, count: number): Promise<Document[]> {
  let documents: Document[] = [];
  await waitFor(
    `no ${count} documents`,
    () => {
      documents = documentsOf(daemon);
      return documents.length >= count;
    },
    { everyMs: 10 },
  ).catch((error: Error) => {
    throw new Error(`${error.message}, but ${documents.length}`);
  });
  return documents;
}

/** The documents that it has written so far. */
export function documentsOf(daemon: Syslogger): Document[] {
  return daemon
    .stdout()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Document);
}

/** The bytes that a document tells of: its whole frame where that is no UTF-8, else the text. */
export function bytesOf({ raw, message = '' }: Document): Buffer {
  return raw === undefined ? Buffer.from(message) : Buffer.from(raw, 'base64');
}

/** Stops it and throws unless it has drained. @returns how many messages it received */
export async function stopDrained(daemon: Syslogger): Promise<number> {
  const { code, ledger } = await daemon.stop();
  const [, received, acknowledged] =
    /received (\d+) = acknowledged (\d+) \+ in flight 0;/.exec(ledger) ?? [];
  if (code !== 0 || received === undefined || received !== acknowledged) {
    throw new Error(`not drained, exit ${code}: ${ledger}`);
  }
  return Number(received);
}
