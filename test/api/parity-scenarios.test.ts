// soref and the host's own net behave alike: each scenario is played on both in this process, and what
// it could see - events in order, arguments, errors, properties - is equal.
import * as hostNet from 'node:net';
import * as soref from 'soref';
import t from 'tap';
import { type Net, runScenario, type Scenarios } from '../conformance/scenario';
import { boundSockets } from '../conformance/scenarios/bound-sockets';
import { connecting } from '../conformance/scenarios/connecting';
import { ending } from '../conformance/scenarios/ending';
import { flowing } from '../conformance/scenarios/flowing';
import { options } from '../conformance/scenarios/options';
import { serving } from '../conformance/scenarios/serving';
import { streaming } from '../conformance/scenarios/streaming';
import { unixAndDescriptors } from '../conformance/scenarios/unix-and-descriptors';

const subjects: Record<string, Scenarios> = {
  connecting,
  ending,
  flowing,
  streaming,
  serving,
  options,
  'unix sockets and descriptors': unixAndDescriptors,
  'bound sockets': boundSockets,
};

t.not(soref.engine, 'node', 'soref has a core of its own');
t.not(soref.Socket, hostNet.Socket, 'and a socket of its own');

for (const [subject, scenarios] of Object.entries(subjects)) {
  t.test(subject, async (t) => {
    for (const [title, scenario] of Object.entries(scenarios)) {
      const expected = await runScenario(scenario, hostNet);
      const found = await runScenario(scenario, soref as unknown as Net);
      t.strictSame(found, expected, title);
    }
  });
}
