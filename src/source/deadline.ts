/** The end of one question over the network. */

/** A signal that aborts with the caller's, or when the time is up. Not AbortSignal.any: it leaks on long-lived signals. */
export function deadlineOf(
  timeoutMs: number,
  signal: AbortSignal,
): { signal: AbortSignal; done: () => void } {
  signal.throwIfAborted();
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const timer = setTimeout(abort, timeoutMs);
  signal.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    done: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    },
  };
}
