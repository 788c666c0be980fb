/**
 * `node --import soref/register app.js`, or `--require`: for the whole process `net` is soref. Changes
 * the builtin's exports in place, so that the program's own require, import and getBuiltinModule, and
 * Node's modules that look there at run time, all find soref's.
 *
 * SOREF_REGISTER=0 in the environment switches it off. Worker threads and forked processes inherit
 * the command line's option, and so are changed too. Where no addon can be loaded nothing is changed.
 */
import { syncBuiltinESMExports } from 'node:module';
import { engine } from '../index';
import { reportActiveResources } from './active-resources';
import { passSocketsToChildren } from './child-process';
import { replaceNet } from './net-exports';
import { registered, warnOfWhatIsLeft } from './registered';
import { shareReplacedConnect } from './replaced-connect';
import { rebaseServers } from './servers';
import { adoptForTls } from './tls-adoption';

if (process.env.SOREF_REGISTER !== '0' && engine !== 'node' && registered.length === 0) {
  replaceNet();
  rebaseServers();
  adoptForTls();
  shareReplacedConnect();
  passSocketsToChildren();
  reportActiveResources();
  syncBuiltinESMExports();
  warnOfWhatIsLeft();
}
