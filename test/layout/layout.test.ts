// The project keeps the rules of its own layout.
import t from 'tap';
import * as rules from './rules';
import { CODE_FOLDERS, codeBelow, pathsBelow, sourceFile } from './source-tree';

const native = codeBelow('src-native');
const lib = codeBelow('lib');
const all = codeBelow(...CODE_FOLDERS);

t.test('there are files to judge', async (t) => {
  t.ok(native.length > 0, 'in src-native');
  t.ok(lib.length > 0, 'in lib');
});

t.test('includes of src-native go down its layers', async (t) => {
  t.strictSame(rules.includeBreaches(native), []);
});

t.test('imports of lib go down its layers', async (t) => {
  t.strictSame(rules.importBreaches(lib), []);
});

t.test('no file is too long', async (t) => {
  t.strictSame(rules.lengthBreaches(all), []);
});

t.test('names say what a file is responsible for', async (t) => {
  t.strictSame(rules.nameBreaches([...CODE_FOLDERS, 'docs'].flatMap(pathsBelow)), []);
});

t.test('sources.txt is complete and exact', async (t) => {
  const list = sourceFile('src-native/sources.txt').text;
  t.strictSame(rules.sourceListBreaches(list, native), []);
});

t.test('every file says at its head what it is for', async (t) => {
  t.strictSame(rules.headCommentBreaches(all), []);
});
