import type { Health } from '../health.ts';
import { formatPrometheus, type Metric, PROMETHEUS_TYPE } from '../metrics/registry.ts';
import type { HttpAnswer } from '../runtime/runtime.ts';

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';

/** What the pages show. */
export interface AdminSources {
  metrics: readonly Metric[];
  health: Health;
  /** What `/status` shows: what JSON can say. */
  status: () => object;
}

/** Answers a request for a path of the admin page. */
export function adminPage(path: string, { metrics, health, status }: AdminSources): HttpAnswer {
  switch (path) {
    case '/metrics':
      return { status: 200, type: PROMETHEUS_TYPE, body: formatPrometheus(metrics) };
    case '/healthz':
      return { status: 200, type: TEXT, body: 'alive\n' };
    case '/readyz': {
      const reason = health.unreadiness();
      const body = `${reason ?? 'ready'}\n`;
      return { status: reason === undefined ? 200 : 503, type: TEXT, body };
    }
    case '/status':
      return { status: 200, type: JSON_TYPE, body: `${JSON.stringify(status(), null, 2)}\n` };
    default: {
      const body = 'there are /metrics, /healthz, /readyz and /status\n';
      return { status: path === '/' ? 200 : 404, type: TEXT, body };
    }
  }
}
