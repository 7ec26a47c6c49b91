/**
 * How a process hears that it is to stop or to reload, and how it tells its supervisor that it is up.
 *
 * SIGTERM, SIGINT and the loss of the supervisor ask it to stop; SIGHUP to reload. From the moment of
 * `listenForSignals` none of them ends the process by itself.
 */

/** Where one door is: `smtp`, `127.0.0.1:2525`. */
export interface Door {
  readonly name: string;
  readonly address: string;
}

/** From a child to its supervisor, once it answers. */
export interface ReadyMessage {
  readonly type: 'ready';
  readonly process: string;
  readonly pid: number;
  readonly doors: readonly Door[];
}

export interface Lifecycle {
  /** Resolves with what asked for the stop. */
  readonly stopped: Promise<string>;
  readonly isStopping: () => boolean;
  /** Called at each SIGHUP; one that arrived before is made good at once. */
  onReload(handler: () => void): void;
  ready(message: ReadyMessage): void;
  /** Lets go of the signals and of the supervisor. */
  close(): void;
}

const stopSignals = ['SIGTERM', 'SIGINT'] as const;

export function listenForSignals(): Lifecycle {
  let stopping = false;
  let reload: (() => void) | undefined;
  let reloadAsked = false;
  let stop: (why: string) => void = () => undefined;
  const stopped = new Promise<string>((resolve) => (stop = resolve));

  const onStop = (why: string): void => {
    stopping = true;
    stop(why);
  };
  const onHangup = (): void => {
    if (reload === undefined) reloadAsked = true;
    else reload();
  };
  const onDisconnect = (): void => onStop('the supervisor is gone');

  // signal handlers alone do not keep a process alive, and an edge without a door has nothing else
  const alive = setInterval(() => undefined, 2 ** 30);
  for (const signal of stopSignals) process.on(signal, onStop);
  process.on('SIGHUP', onHangup);
  process.on('disconnect', onDisconnect);
  return {
    stopped,
    isStopping: () => stopping,
    onReload(handler) {
      reload = handler;
      if (reloadAsked) handler();
      reloadAsked = false;
    },
    ready(message) {
      // without a callback a supervisor that has just gone would be an uncaught error
      process.send?.(message, undefined, undefined, () => undefined);
    },
    close() {
      clearInterval(alive);
      for (const signal of stopSignals) process.off(signal, onStop);
      process.off('SIGHUP', onHangup);
      process.off('disconnect', onDisconnect);
      if (process.connected) process.disconnect();
    },
  };
}

export function isReadyMessage(message: unknown): message is ReadyMessage {
  return (
    typeof message === 'object' &&
    message !== null &&
    (message as { type?: unknown }).type === 'ready' &&
    Array.isArray((message as { doors?: unknown }).doors)
  );
}
