/** `npm run build`: compiles src/ into dist/, whole or not at all. */

import { build, runScript } from './setup.mjs';

await runScript(() => build());
