// Types of the few modules inside kafkajs 2.2.4 that `connection.ts` builds on.

declare module 'kafkajs/src/broker/index.js' {
  import type ConnectionPool from 'kafkajs/src/network/connectionPool.js';
  import type { Definition, Lookup } from 'kafkajs/src/protocol/requests/index.js';

  export default class Broker {
    constructor(options: { connectionPool: ConnectionPool; logger: unknown });
    readonly versions: Record<number, { minVersion: number; maxVersion: number }> | null;
    readonly lookupRequest: (apiKey: number, definition: Definition) => Lookup;
    connect(): Promise<void>;
    isConnected(): boolean;
    describeConfigs(options: {
      resources: { type: number; name: string; configNames: string[] }[];
    }): Promise<{
      resources: { configEntries: { configName: string; configValue: string }[] }[];
    }>;
    initProducerId(options: {
      transactionalId: null;
    }): Promise<{ producerId: string; producerEpoch: number }>;
  }
}

declare module 'kafkajs/src/network/connectionPool.js' {
  import type { ISocketFactory } from 'kafkajs';
  import type { Exchange } from 'kafkajs/src/protocol/requests/index.js';

  export interface RequestQueue {
    readonly pending: unknown[];
    push(request: {
      entry: {
        apiKey: number;
        apiName: string;
        apiVersion: number;
        correlationId: number;
        resolve: (answer: { payload: Uint8Array }) => void;
        reject: (error: Error) => void;
      };
      expectResponse: boolean;
      requestTimeout: number;
      sendRequest: () => void;
    }): void;
    maybeThrottle(ms: number): void;
    scheduleCheckPendingRequests(): void;
  }

  export interface Connection {
    readonly socket: { write(bytes: Uint8Array): boolean; destroy(): void } | undefined;
    readonly requestQueue: RequestQueue;
    isConnected(): boolean;
    /** Of the answer that is coming. */
    readonly bytesNeeded: number;
    processData(bytes: Uint8Array): void;
    nextCorrelationId(): number;
    rejectRequests(error: Error): void;
    disconnect(): Promise<boolean>;
  }

  export default class ConnectionPool {
    constructor(options: {
      host: string;
      port: number;
      clientId: string;
      connectionTimeout: number;
      requestTimeout: number;
      enforceRequestTimeout: boolean;
      socketFactory: ISocketFactory;
      logger: unknown;
    });
    readonly pool: Connection[];
    send<T>(exchange: Exchange<T>): Promise<T>;
  }
}

declare module 'kafkajs/src/protocol/requests/index.js' {
  export interface Definition {
    readonly versions: string[];
  }
  export interface Exchange<T> {
    request: unknown;
    response: { decode: (data: Uint8Array) => Promise<T>; parse: (data: T) => Promise<T> };
  }
  export type Lookup = <T>(options: Record<string, unknown>) => Exchange<T>;
  export const requests: { Metadata: Definition };
}

declare module 'kafkajs/src/protocol/error.js' {
  const errors: {
    errorCodes: { type: string; code: number; retriable: boolean; message: string }[];
  };
  export default errors;
}
