/** fast-check with the seed of this run (see random.ts). */
// eslint-disable-next-line no-restricted-imports -- the one place that seeds it
import fc from 'fast-check';
import { seed } from './random.js';

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });

export { fc };
