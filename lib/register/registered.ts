/**
 * The record of what soref/register has changed in this environment, which `soref.registered` shows.
 * Written by the files beside it alone.
 */

/** Names such as 'net.connect', in the order in which they were changed; empty without register. */
export const registered: string[] = [];

/** Replaces a member of one of Node's objects and writes it down. Enumerability stays as it was. */
export function replace(target: object, key: string, value: unknown, name: string): void {
  const before = Object.getOwnPropertyDescriptor(target, key);
  const kept = before ?? { enumerable: true };
  Object.defineProperty(target, key, {
    value,
    writable: true,
    configurable: true,
    enumerable: kept.enumerable ?? true,
  });
  registered.push(name);
}
