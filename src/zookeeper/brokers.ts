import { type Address, formatAddress, parseAddress } from '../address.ts';
import { NoNodeError, withSession } from './session.ts';

const BROKERS_PATH = '/brokers/ids';
/** What one server of the ensemble gets, in ms. */
const SERVER_DEADLINE_MS = 5_000;

/** An ensemble as it is written: `host:port,host:port/chroot`. */
export interface Ensemble {
  servers: Address[];
  /** Empty, or a path that begins with a slash. */
  chroot: string;
}

/** A broker as it registers itself (Kafka's `BrokerIdZNode`), what we need of it. */
interface Registration {
  host?: string | null;
  port?: number;
  endpoints?: string[];
  listener_security_protocol_map?: Record<string, string>;
}

/**
 * Finds the Kafka brokers that are registered in ZooKeeper (`/brokers/ids/*`), asking
 * the servers of the ensemble in random order until one answers.
 * @throws {Error} that says for a person what was tried
 */
export async function findBrokers({ servers, chroot }: Ensemble): Promise<Address[]> {
  const failures: string[] = [];
  for (const server of shuffled(servers)) {
    try {
      return await askServer(server, chroot);
    } catch (error) {
      if (error instanceof NoNodeError) {
        const path = `${chroot}${BROKERS_PATH}`;
        throw new Error(
          `ZooKeeper ${formatAddress(server)} has no ${path}: ` +
            'no Kafka has registered there yet, or the chroot is wrong',
        );
      }
      failures.push(`ZooKeeper ${formatAddress(server)}: ${(error as Error).message}`);
    }
  }
  throw new Error(failures.join('; '));
}

async function askServer(server: Address, chroot: string): Promise<Address[]> {
  const registrations = await withSession(server, chroot, SERVER_DEADLINE_MS, async (session) => {
    const ids = await session.children(BROKERS_PATH);
    const read = ids.map((id) =>
      session.data(`${BROKERS_PATH}/${id}`).catch((error) => {
        // A broker that goes while we read is as good as gone.
        if (error instanceof NoNodeError) return undefined;
        throw error;
      }),
    );
    return (await Promise.all(read)).filter((data) => data !== undefined);
  });
  if (registrations.length === 0) throw new Error('no Kafka broker is registered');
  const addresses = registrations.flatMap((data) => registeredAddress(data) ?? []);
  if (addresses.length === 0) throw new Error('no Kafka broker has a PLAINTEXT listener');
  return shuffled(addresses);
}

/** A broker's PLAINTEXT listener; `host` is null where that listener has a name of its own. */
function plaintextAddress(data: Uint8Array): Address | undefined {
  const {
    host,
    port,
    endpoints = [],
    listener_security_protocol_map: protocols = {},
  } = JSON.parse(new TextDecoder().decode(data)) as Registration;
  if (typeof host === 'string' && host !== '' && port !== undefined && port > 0) {
    return { host, port };
  }
  for (const endpoint of endpoints) {
    const match = /^([^:]+):\/\/(.*)$/.exec(endpoint);
    if (match === null || (protocols[match[1]] ?? match[1]) !== 'PLAINTEXT') continue;
    const address = parseAddress(match[2]);
    if (address) return address;
  }
  return undefined;
}

/** One broker that registers nonsense must not hide the others. */
function registeredAddress(data: Uint8Array): Address | undefined {
  try {
    return plaintextAddress(data);
  } catch {
    return undefined;
  }
}

function shuffled<T>(items: T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
