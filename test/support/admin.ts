/** The part of `/status` that tests look at. */
export interface Status {
  version: string;
  ready: boolean;
  reason: string | null;
  delivery: { state: string; description: string; stalled_seconds: number };
  ledger: { received: number; acknowledged: number; in_flight: number; received_bytes: number };
  connections: {
    listener: string;
    peer: string;
    received: number;
    unacknowledged: number;
    held_seconds: number;
  }[];
  sink: {
    topic: string;
    found_in: string;
    retries: number;
    brokers: { id: number; address: string; connected: boolean }[];
    partitions: { id: number; leader: number | null; problem: string | null }[];
  };
  riemann: { sent: number; dropped: number; failures: number; queued: number } | null;
}

/** The admin page at a port of this machine's. */
export interface Admin {
  get(path: string): Promise<{ status: number; type: string; text: string }>;
  status(): Promise<Status>;
  /** 200 or 503, and why. */
  ready(): Promise<{ status: number; text: string }>;
  /** The samples of `/metrics`, by name and labels. */
  metrics(): Promise<Map<string, number>>;
}

export function adminAt(port: number): Admin {
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      signal: AbortSignal.timeout(5_000),
    });
    const type = response.headers.get('content-type') ?? '';
    return { status: response.status, type, text: await response.text() };
  };
  return {
    get,
    status: async () => JSON.parse((await get('/status')).text),
    ready: () => get('/readyz'),
    metrics: async () => readSamples((await get('/metrics')).text),
  };
}

function readSamples(page: string): Map<string, number> {
  const samples = [...page.matchAll(/^([a-z_]+(?:\{[^}]*\})?) (\S+)$/gm)];
  return new Map(samples.map(([, name, value]) => [name ?? '', Number(value)]));
}
