// The ways to change a source file into a mutant. Each is a function from the file's text to the
// mutant's, and throws where the text is not as the list of mutants expects it: then the list has to
// follow the source.

/** Matches a piece of source however it is broken into lines. */
function pattern(source) {
  const words = source.trim().split(/\s+/);
  return new RegExp(
    words.map((word) => word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('\\s+'),
    'g',
  );
}

/** Puts `mutated` in the place of `source`, which the file has exactly once. */
export function replace(source, mutated) {
  return (text) => {
    const found = text.match(pattern(source))?.length ?? 0;
    if (found !== 1) throw new Error(`found ${found} times and not once: ${source}`);
    return text.replace(pattern(source), () => mutated);
  };
}

/** Leaves a piece of source out. */
export const without = (source) => replace(source, '');

/** Has a piece of source twice. */
export const twice = (source) => replace(source, `${source} ${source}`);

/** Leaves a piece out that stands behind another, which stays. */
export const withoutAfter = (before, source) => replace(`${before} ${source}`, before);

/** Leaves out the one assertion of an invariant. */
export function withoutAssertion(invariant) {
  return (text) => {
    const assertion = new RegExp(`SOREF_ASSERT[^;"]*"${invariant}"[^;]*;`, 'g');
    const found = text.match(assertion)?.length ?? 0;
    if (found !== 1) throw new Error(`asserted ${found} times and not once: ${invariant}`);
    return text.replace(assertion, '');
  };
}

/**
 * The mutants of one file: `changes` by what each does wrong, and the tests likely to notice. Those of
 * a header also need the `sources` that do something with it.
 */
export function mutantsOf(file, tests, changes, sources = [file]) {
  return Object.entries(changes).map(([what, change]) => ({ what, file, tests, change, sources }));
}
