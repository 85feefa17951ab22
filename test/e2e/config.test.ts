import { describe, expect, test } from 'bun:test';
import { badConfigs, runWith } from '../config/cases.ts';

describe('a bad configuration is refused in one line, by the daemon and by its check', () => {
  for (const { name, dir, args, env, code, stderr } of badConfigs()) {
    test(name, async () => {
      expect(stderr).toMatch(/^syslogger: [^\n]+\n$/);
      for (const command of [[], ['check'], ['rsyslog']]) {
        const ended = await runWith([...command, ...args], { env, cwd: dir });
        expect(ended).toEqual({ code, stdout: '', stderr });
        expect(ended.stderr).not.toInclude('secret');
      }
    });
  }
});
