import { Fixture } from './harness.ts';
import { Peer } from './peer.ts';
import type { Target } from './targets.ts';

export type ConnectedOptions = Parameters<Fixture['listen']>[0] & { peerPaused?: boolean };

/** Starts a fixture that listens, and makes one connection to it. */
export async function connected(target: Target, options: ConnectedOptions = {}) {
  const fixture = await Fixture.start(target);
  const port = await fixture.listen(options);
  const peer = await Peer.connect(port, { paused: options.peerPaused ?? false });
  await fixture.seen('accepted');
  return { fixture, port, peer };
}
