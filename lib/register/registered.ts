/**
 * The record of what soref/register has changed in this environment, which `soref.registered` shows,
 * and of what it found other than it expects and left alone. Written by the files beside it.
 */
import { emitWarning } from 'node:process';

/** Names such as 'net.connect', in the order in which they were changed; empty without register. */
export const registered: string[] = [];

/** Parts of this Node that register does not know, and left alone. */
export const leftToNode: string[] = [];

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

/** Writes down that a part of this Node is not as expected, and stays as Node has it. */
export function leaveToNode(name: string): void {
  leftToNode.push(name);
}

/** One warning for everything that was left to Node. To be called when the changes are done. */
export function warnOfWhatIsLeft(): void {
  if (leftToNode.length === 0) return;
  const parts = leftToNode.join(', ');
  const message = `soref/register does not know this Node's ${parts}, which therefore stay Node's own`;
  emitWarning(message, { code: 'SOREF_REGISTER_PARTIAL', type: 'SorefWarning' });
}
