import type { Address } from '../../src/address.ts';
import type {
  HandshakeFailure,
  Signal,
  TlsIdentity,
  TlsOptions,
} from '../../src/runtime/runtime.ts';

/** What the tests and the fixture say to each other, one JSON object a line. */

/** How a connection is served. */
export interface Service {
  /** Whether it is let in no further than `admit`. */
  turnAway?: boolean;
  /** What is done with it within `accept`, or `opened`. */
  atOnce?: 'pause' | 'end' | 'destroy';
  /** Whether it is paused in its first `data()`. */
  pauseAtData?: boolean;
  /** Whether what `data()` gets is released, once it is copied. */
  releaseData?: boolean;
  /** Whether it is ended when the peer ends. */
  endWithPeer?: boolean;
}

/** Each is answered with `done` or `failed` under its id. */
export type Command =
  | { do: 'ping' }
  | { do: 'listen'; address: Address; tls?: TlsIdentity; service: Service }
  | { do: 'listenUnix'; path: string; service: Service }
  | { do: 'renew'; tls: TlsIdentity }
  | { do: 'unlisten' }
  | { do: 'open'; address: Address; tls?: TlsOptions; service: Service; destroy?: boolean }
  | { do: 'pause' | 'resume' | 'end' | 'destroy' | 'useAll'; connection: number }
  | { do: 'write'; connection: number; bytes: number }
  | { do: 'fill'; connection: number }
  | { do: 'connectForKafka'; address: Address }
  | { do: 'serveHttp'; address: Address }
  | { do: 'closeHttp' }
  | { do: 'notify'; path: string; texts: string[] }
  | { do: 'signal'; signal: Signal; exit?: number }
  | { do: 'churn' }
  | { do: 'afterInput' }
  | { do: 'stdout'; bytes: number; chunk: number }
  | { do: 'receive'; address: Address; bufferBytes: number; busyMs?: number }
  | { do: 'receiveUnix'; path: string; pauseAtFirst?: boolean }
  | { do: 'pauseReceiver' | 'resumeReceiver' | 'closeReceiver' | 'tellDatagrams' }
  | { do: 'detach' };

/** What the fixture reports. */
export type Report =
  | {
      event: 'done' | 'failed';
      id: number;
      code?: string;
      port?: number;
      runtime?: string;
      bufferBytes?: number;
    }
  | { event: 'admitted'; peer: string }
  | { event: 'unserved'; peer: string; kind: HandshakeFailure['kind']; message: string }
  | { event: 'accepted'; connection: number; peer: string; names?: readonly string[] }
  | { event: 'opened'; connection: number }
  | { event: 'data'; connection: number; bytes: number }
  | { event: 'end'; connection: number; bytes: number; intact: boolean }
  | { event: 'closed'; connection: number; code?: string }
  | { event: 'full' | 'drained'; connection: number }
  | { event: 'signal'; signal: Signal }
  | { event: 'afterInput'; chunks: number }
  | { event: 'written'; bytes: number }
  | { event: 'received' }
  | { event: 'datagram'; bytes: number; intact: boolean; text?: string; memory: number }
  | { event: 'connected' };
