// The little of node-zookeeper-client 1.1.3 that is used here.
declare module 'node-zookeeper-client' {
  interface ZooKeeperError extends Error {
    readonly name: string;
    getCode(): number;
  }
  type Callback<T> = (error: ZooKeeperError | null, value: T) => void;

  export interface Client {
    /** Internal, to end a session that never came about, and to know why. */
    readonly connectionManager: {
      servers: { host: string; port: number }[];
      readonly socket: { destroy(): void } | undefined;
      /** Called again whenever the connection is lost. */
      connect: () => void;
      onSocketData: (bytes: Uint8Array) => void;
      onSocketError: (error: Error) => void;
    };
    connect(): void;
    close(): void;
    once(event: 'connected', listener: () => void): void;
    getChildren(path: string, callback: Callback<string[]>): void;
    getData(path: string, callback: Callback<Uint8Array>): void;
  }

  const zookeeper: {
    createClient(
      connectionString: string,
      options: { sessionTimeout: number; spinDelay: number; retries: number },
    ): Client;
    readonly Exception: { readonly NO_NODE: number };
  };
  export default zookeeper;
}
