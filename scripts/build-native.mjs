// Builds the addon into build/Release of the checkout.
import { bin, run } from './run.mjs';
import { buildEnv } from './stage.mjs';

run(bin('node-gyp'), ['rebuild'], { env: buildEnv() });
