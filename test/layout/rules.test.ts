// Each rule of the layout finds what breaks it, and lets pass what does not.
import t from 'tap';
import * as rules from './rules';

const file = (path: string, text = '') => ({ path, text });

t.test('includes', async (t) => {
  const socket = file('src-native/socket/socket.h');
  const engine = file('src-native/engine/engine.h');
  const breaches = (path: string, text: string) =>
    rules.includeBreaches([socket, engine, file(path, text)]).length;
  t.equal(breaches('src-native/host/tcp.cpp', '#include "engine/engine.h"\n#include <vector>'), 0);
  t.equal(breaches('src-native/socket/accept.cpp', '#include "socket/socket.h"'), 0);
  t.equal(breaches('src-native/socket/accept.cpp', '#include "engine/engine.h"'), 1, 'not below');
  t.equal(breaches('src-native/engine/a.cpp', 'x\n  # include "socket/socket.h"'), 1, 'upward');
  t.equal(breaches('src-native/socket/accept.cpp', '#include "socket.h"'), 1, 'not from the root');
  t.equal(breaches('src-native/socket/accept.cpp', '#include "../socket/socket.h"'), 1, 'relative');
  t.equal(breaches('src-native/host/tcp.cpp', '#include <engine/engine.h>'), 1, 'brackets');
  t.equal(breaches('src-native/host/tcp.cpp', '#include <uv.h>'), 1, 'a header of Node');
  t.equal(breaches('src-native/binding/loop.cpp', '#include <uv.h>'), 0);
  t.equal(breaches('src-native/host/tcp.cpp', '#include <liburing.h>'), 1);
  t.equal(breaches('src-native/engine/uring_engine.cpp', '#include <liburing.h>'), 0);
  t.equal(breaches('src-native/extra/x.cpp', ''), 1, 'no layer');
});

t.test('imports', async (t) => {
  const breaches = (path: string, text: string) => rules.importBreaches([file(path, text)]).length;
  t.equal(breaches('lib/net/socket.ts', "import { door } from '../core/door';"), 0);
  t.equal(breaches('lib/net/socket.ts', "import { Server } from './server';"), 0);
  t.equal(breaches('lib/net/socket.ts', "import { x } from '../observe/ledger';"), 1);
  t.equal(breaches('lib/core/door.ts', "export { x } from '../net/socket';"), 1);
  t.equal(breaches('lib/core/door.ts', "const x = require('../net/socket');"), 1);
  t.equal(breaches('lib/core/door.ts', "const x = await import('../net/socket');"), 1);
  t.equal(breaches('lib/net/socket.ts', "import '../index';"), 1);
  t.equal(breaches('lib/net/socket.ts', "import soref from '..';"), 1);
  t.equal(breaches('lib/register/index.ts', "import soref from '../index';"), 0);
  t.equal(breaches('lib/index.ts', "import { Socket } from './net/socket';"), 0);
  t.equal(breaches('lib/extra/x.ts', ''), 1, 'no layer');
});

t.test('length', async (t) => {
  t.equal(rules.lengthBreaches([file('lib/a.ts', 'x\n'.repeat(400))]).length, 0);
  t.equal(rules.lengthBreaches([file('lib/a.ts', 'x\n'.repeat(401))]).length, 1);
});

t.test('names', async (t) => {
  t.equal(rules.nameBreaches(['lib/net/utils.ts', 'lib/misc', 'lib/net-helpers.ts']).length, 3);
  t.equal(rules.nameBreaches(['lib/net/utility_line.ts', 'lib/net/socket.ts']).length, 0);
});

t.test('sources.txt', async (t) => {
  const files = [file('src-native/base/a.cpp'), file('src-native/base/a.h')];
  t.strictSame(rules.sourceListBreaches('# all\nbase/a.cpp\n', files), []);
  t.equal(rules.sourceListBreaches('', files).length, 1, 'missing');
  t.equal(rules.sourceListBreaches('base/a.cpp\nbase/b.cpp', files).length, 1, 'stale');
  t.equal(rules.sourceListBreaches('base/a.cpp\nbase/a.cpp', files).length, 1, 'twice');
  t.equal(rules.sourceListBreaches('base/a.cpp\nbase/a.h', files).length, 1, 'a header');
});

t.test('head comments', async (t) => {
  t.equal(rules.headCommentBreaches([file('lib/a.ts', "import x from 'x';")]).length, 1);
  t.equal(rules.headCommentBreaches([file('a.h', '// Says.\n#pragma once')]).length, 0);
  t.equal(rules.headCommentBreaches([file('a.mjs', '#!/usr/bin/env node\n// Says.')]).length, 0);
});
