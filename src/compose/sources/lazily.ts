/**
 * A source whose code is loaded when it is first asked. For kinds that bring big libraries: a run of another kind, a thread and a
 * process each, should not pay for them.
 */
import { RollcallError } from '../../errors.js';
import type { Source } from '../../source/source.js';

type Ability = 'changes' | 'find' | 'probe';

/** `abilities`: what the loaded source has besides `read`. */
export function lazily(load: () => Promise<Source>, abilities: readonly Ability[]): Source {
  let made: Promise<Source> | undefined;
  const source = (): Promise<Source> => (made ??= load());
  const having = async <A extends Ability>(ability: A): Promise<NonNullable<Source[A]>> => {
    const loaded = await source();
    const found = loaded[ability];
    if (found === undefined) throw new RollcallError('internal', `this source has no ${ability}`);
    return found.bind(loaded) as NonNullable<Source[A]>;
  };
  const can = (ability: Ability): boolean => abilities.includes(ability);
  return {
    async *read(context) {
      return yield* (await source()).read(context);
    },
    ...(can('changes') && {
      changes: async function* (context, cursor) {
        return yield* (await having('changes'))(context, cursor);
      },
    }),
    ...(can('find') && { find: async (address, context) => (await having('find'))(address, context) }),
    ...(can('probe') && { probe: async (context) => (await having('probe'))(context) }),
    close: async () => (await made)?.close?.(),
  } satisfies Source;
}
