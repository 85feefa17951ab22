import { type Address, formatAddress, isSame } from '../address.ts';
import type { Config, RiemannTarget } from '../config/config.ts';
import { RiemannConnection } from '../riemann/connection.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { findBrokers } from '../zookeeper/brokers.ts';
import { advise, type Finding, fail, pass } from './finding.ts';
import { probeKafka } from './kafka.ts';

export type { Finding } from './finding.ts';

/** How long the Riemann server may take to connect, and to answer, in ms. */
const RIEMANN_DEADLINE_MS = 5_000;

/** Tries what the configuration names, each with a short deadline of its own. */
export async function* probe(config: Config, runtime: Runtime): AsyncGenerator<Finding> {
  const { target, riemann } = config;
  const brokers: Address[] = [];
  if (target.kind === 'brokers') brokers.push(...target.addresses);
  if (target.kind === 'zookeeper') {
    const { servers, chroot } = target.ensemble;
    const probes = servers.map((server) => probeZooKeeper(server, chroot));
    for (const { finding, found } of await Promise.all(probes)) {
      yield finding;
      brokers.push(...found.filter((a) => !brokers.some((b) => isSame(a, b))));
    }
  }
  if (brokers.length > 0) yield* probeKafka(brokers, config, runtime);
  if (riemann) yield await probeRiemann(riemann, runtime);
}

async function probeZooKeeper(
  server: Address,
  chroot: string,
): Promise<{ finding: Finding; found: Address[] }> {
  const what = `ZooKeeper ${formatAddress(server)}${chroot}`;
  try {
    const found = await findBrokers({ servers: [server], chroot });
    const registered = found.map(formatAddress).sort().join(', ');
    return { finding: pass(what, `brokers that are registered: ${registered}`), found };
  } catch (error) {
    const { message } = error as Error;
    const reason = new Error(message.replace(`ZooKeeper ${formatAddress(server)}: `, ''));
    return { finding: fail(what, advise(reason, 'zookeeper')), found: [] };
  }
}

async function probeRiemann({ address, tls }: RiemannTarget, runtime: Runtime): Promise<Finding> {
  const what = `Riemann ${tls ? 'tls://' : ''}${formatAddress(address)}`;
  try {
    const connect = runtime.connect.bind(runtime, address, tls);
    const connection = await RiemannConnection.open(connect, RIEMANN_DEADLINE_MS);
    const { ok, error } = await connection.request({}, RIEMANN_DEADLINE_MS);
    connection.close();
    return ok ? pass(what, 'it answers') : fail(what, `it answers with an error: ${error ?? ''}`);
  } catch (error) {
    return fail(what, advise(error as Error, 'riemann'));
  }
}
