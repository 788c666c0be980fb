// Mutants of src-native/socket: references, attach and detach, names and accept queues.
// Left out, since nothing can tell them from the source:
// - queueing the farewell before the detach: events are delivered when the core has reclaimed all;
// - not looking, before a half-close, whether bytes are left: who comes there has just looked.
import { mutantsOf, replace, twice, without } from './changes.mjs';

const LIFE = ['socket_lifecycle_test', 'invariants_test', 'transition_test'];

const lifecycle = mutantsOf('src-native/socket/socket_lifecycle.cpp', LIFE, {
  'a created socket has no reference of its consumer': without(
    'created->hold(base::Reference::consumer, base::Cause("created"));',
  ),
  'a created socket has two references of its consumer': twice(
    'created->hold(base::Reference::consumer, base::Cause("created"));',
  ),
  'nobody reclaims what nothing refers to': without(
    'if (total_ == 0) layer_->unreferenced(*this);',
  ),
  'a socket is freed while its own code runs': replace(
    'unreferenced_ = &socket;',
    'unreferenced_ = &socket; reclaim();',
  ),
  'the count rises and its tag does not': without('++by_tag_[static_cast<std::size_t>(tag)];'),
  'detach is left out': without('socket.protocol_->detach(*socket.block_);'),
  'detach comes twice': twice('socket.protocol_->detach(*socket.block_);'),
  'the control block stays after its detach': without('socket.block_ = nullptr;'),
  'a detach is not counted': without('++ledger_->detached;'),
  'an attach is not counted': without('++ledger_->attached;'),
  'a failed attach counts as a detach too': replace(
    '++ledger_->attach_failed;',
    '++ledger_->attach_failed; ++ledger_->detached;',
  ),
  'a failed attach keeps its slot': replace('reuse_slot(name); return error;', 'return error;'),
  'a connection that cannot be attached stays open': without('protocol.discard(resource);'),
  'a slot is free before its farewell was seen': replace(
    'entry.parked = true;',
    'entry.parked = true; free_slots_.push_back(socket->name_.slot);',
  ),
  'a generation is not raised': without(
    'entry.generation = entry.generation == 0x7fffffff ? 1 : entry.generation + 1;',
  ),
  'a name is found by its slot alone': replace(
    'return entry.generation == name.generation ? entry.socket : nullptr;',
    'return entry.socket;',
  ),
  'an exit closes no socket': without('if (socket.life() == Life::open) socket.close(false);'),
  'no farewell is queued': without('events_->queue_closed(name);'),
});

const commands = mutantsOf('src-native/socket/socket.cpp', LIFE, {
  "the consumer's reference is dropped twice": twice(
    'drop(base::Reference::consumer, base::Cause(reset ? "reset" : "closed"));',
  ),
  "the consumer's reference is not dropped": without(
    'drop(base::Reference::consumer, base::Cause(reset ? "reset" : "closed"));',
  ),
  'an accepted connection keeps the reference of its queue': without(
    'child->drop(base::Reference::queue, base::Cause("accepted"));',
  ),
  'an accepted connection gets no reference of its consumer': without(
    'child->hold(base::Reference::consumer, base::Cause("accepted"));',
  ),
  'an accepted connection stays queued': without('child->set_life(Life::open);'),
  'an aborted connection keeps the reference of its queue': without(
    'child->drop(base::Reference::queue, base::Cause("aborted"));',
  ),
  'a listener leaves without aborting its queue': without('abort_queued(); leave(reset);'),
  'a listener aborts one connection of its queue': replace(
    'while (Socket* child = accept_queue_->take())',
    'if (Socket* child = accept_queue_->take())',
  ),
  'a queued connection is closed and not aborted': replace(
    'child->leave(true);',
    'child->leave(false);',
  ),
  'a reset is a close too': replace(
    '} else { protocol_->close(control_block()); }',
    '} protocol_->close(control_block());',
  ),
  'the protocol does not hear of a close': without('protocol_->close(control_block());'),
  'operations of a closing socket are not counted': without(
    'layer_->closing_operations_ += references(base::Reference::operation);',
  ),
  'a closing socket reports events': replace(
    'if (life_ == Life::open) layer_->events_->queue(*this, event, first, second);',
    'layer_->events_->queue(*this, event, first, second);',
  ),
  'a connection that comes too late stays open': without('protocol_->discard(resource);'),
  'a connection is queued before it is complete': replace(
    'accept_queue_->append(*child); child->set_life(Life::queued); report(Event::connection);',
    'report(Event::connection); child->set_life(Life::queued); accept_queue_->append(*child);',
  ),
  'bytes of a closing socket keep their buffer': without('layer_->events_->discard(chunk);'),
  'bytes that failed to leave stay queued': without('outgoing_.clear();'),
});

const queue = mutantsOf('src-native/socket/accept_queue.cpp', LIFE, {
  'an entry of an accept queue holds no reference': without(
    'child.hold(base::Reference::queue, base::Cause("queued"));',
  ),
  'a connection that was taken stays on the queue': without('children_.pop_front();'),
});

export const SOCKET = [...lifecycle, ...commands, ...queue];
