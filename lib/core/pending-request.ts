/**
 * A connect, write or shutdown whose end is still to be reported. Its callback runs in the async
 * context of the call that asked for it, as with Node's request objects, and not in that of the
 * handle, which may be much older. Made and finished by the handles.
 */

import { AsyncResource } from 'node:async_hooks';
import { causedBy } from './async-cause';
import type { NativeSocket } from './native-socket';

/** Called exactly once on the handle that was asked, never during the call that takes it, with 0 or a negative errno. */
export type Done = (this: NativeSocket, errno: number) => void;

/**
 * What a connect is asked with. An object with this method, as Node's handles take it: a program that puts a connect()
 * of its own in the place of the handle's, to mock connections, tells the result by calling it.
 */
export interface ConnectRequest {
  oncomplete(status: number): void;
}

/** Node's names for the requests of its own handles. */
type Type = 'TCPCONNECTWRAP' | 'PIPECONNECTWRAP' | 'WRITEWRAP' | 'SHUTDOWNWRAP';

export class PendingRequest extends AsyncResource {
  /** The handle that is asked is also what async hooks see as the cause. */
  constructor(
    type: Type,
    private readonly asked: NativeSocket,
    private readonly done: Done,
  ) {
    super(type, causedBy(asked.getAsyncId()));
  }

  finish(errno: number): void {
    try {
      this.runInAsyncScope(this.done, this.asked, errno);
    } finally {
      this.emitDestroy();
    }
  }
}

/** Finishes all, in order; whatever one of them throws, the others are finished. */
export function finishAll(requests: PendingRequest[], errno: number): void {
  const request = requests.shift();
  if (request === undefined) return;
  try {
    request.finish(errno);
  } finally {
    finishAll(requests, errno);
  }
}
