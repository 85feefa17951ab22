/** How long anything may take, in ms: far longer than it ever does. */
const DEADLINE = 10_000;

/** Waits until `condition` gives something, at most `deadline` ms. */
export async function until<T>(
  what: string,
  condition: () => T | undefined | false,
  deadline = DEADLINE,
): Promise<T> {
  for (const start = Date.now(); Date.now() - start < deadline; await Bun.sleep(2)) {
    const value = condition();
    if (value !== undefined && value !== false) return value;
  }
  throw new Error(`waited in vain for ${what}`);
}
