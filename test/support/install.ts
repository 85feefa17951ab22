import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { run } from './command.ts';
import { which } from './which.ts';

const project = resolve(import.meta.dirname, '../..');

/** The Kafka with ZooKeeper that the tests use, and the one without. */
export const KAFKA_WITH_ZOOKEEPER = '3.9.1';
export const KAFKA_WITHOUT_ZOOKEEPER = '4.1.0';

/** Which Debian package brings which command. */
const packages: Record<string, string> = {
  java: 'default-jre-headless',
  mvn: 'maven',
  rsyslogd: 'rsyslog',
  kcat: 'kcat',
  omkafka: 'rsyslog-kafka',
  omrelp: 'rsyslog-relp',
  lmnsd_gtls: 'rsyslog-gnutls',
  logger: 'bsdutils',
  protoc: 'protobuf-compiler',
  'riemann-client': 'riemann-c-client',
  promtool: 'prometheus',
  socat: 'socat',
  openssl: 'openssl',
};

/** Where Debian has rsyslog's modules, which are no commands. */
const RSYSLOG_MODULES = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/rsyslog`;

/** Downloads Kafka (and ZooKeeper) with Maven, unless it is there; returns the folder of its jars. */
export async function ensureKafka(version: string = KAFKA_WITH_ZOOKEEPER): Promise<string> {
  const home = kafkaHome(version);
  const libs = join(home, 'libs');
  if (existsSync(libs)) return libs;

  await ensureDebian(['java', 'mvn']);
  const partial = `${home}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    const pom = join(import.meta.dirname, 'kafka-pom.xml');
    await run(
      // biome-ignore format: one option a line reads worse
      ['mvn', '-q', '-B', '-f', pom, `-Dkafka.version=${version}`,
        `-DoutputDirectory=${join(partial, 'libs')}`, 'dependency:copy-dependencies'],
    );
    // All jars appear at once, so that an interrupted download never passes for a finished one.
    if (!existsSync(libs)) renameSync(partial, home);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return libs;
}

/** Whether Kafka can run here without anything being installed on the machine. */
export function canRunKafka(version: string = KAFKA_WITH_ZOOKEEPER): boolean {
  const downloaded = existsSync(join(kafkaHome(version), 'libs'));
  return which('java') !== undefined && (downloaded || which('mvn') !== undefined);
}

/**
 * Installs the Debian packages of commands, or modules of rsyslog's, that are missing, or throws
 * saying what to install.
 */
export async function ensureDebian(commands: string[]): Promise<void> {
  const missing = commands.filter(
    (command) => !which(command) && !existsSync(join(RSYSLOG_MODULES, `${command}.so`)),
  );
  if (missing.length === 0) return;
  const wanted = missing.map((command) => packages[command] ?? command);

  const root = process.getuid?.() === 0;
  const apt = which('apt-get');
  if (!apt || !(root || which('sudo'))) {
    throw new Error(`please install ${wanted.join(', ')} (missing: ${missing.join(', ')})`);
  }
  // RUNLEVEL=1 keeps the package from starting a daemon of its own where there is no systemd.
  const asRoot = root ? ['env'] : ['sudo', '-n', 'env'];
  const lock = ['-o', 'DPkg::Lock::Timeout=120'];
  const aptGet = [...asRoot, 'DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1', apt, ...lock];
  await run([...aptGet, 'update', '-q']);
  await run([...aptGet, 'install', '-y', '-q', '--no-install-recommends', ...wanted]);
}

function kafkaHome(version: string): string {
  return join(project, '.cache', `kafka-${version}`);
}
