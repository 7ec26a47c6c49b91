/** `node scripts/setup-only.mjs`: packages and build, nothing else. For .ci/run. */

import { runScript, setUp } from './setup.mjs';

await runScript(() => setUp());
