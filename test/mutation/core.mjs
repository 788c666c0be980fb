// Mutants of src-native/core and src-native/protocol: events, commands, giving away, the exit.
import { mutantsOf, replace, twice, without, withoutAfter } from './changes.mjs';

const SOCKETS = [
  'bounded_turn_test',
  'interrupted_runs_test',
  'kernel_invariants_test',
  // Its environments end as real ones do: they wait, for ever, for a socket that is never freed.
  'event_delivery_test',
  'kernel_socket_test',
];

const events = mutantsOf('src-native/core/event_queue.cpp', SOCKETS, {
  'an event holds no reference': without(
    'socket.hold(base::Reference::event, base::Cause(to_string(event)));',
  ),
  'an event that was seen keeps its reference': without(
    'record.socket->drop(base::Reference::event, base::Cause(to_string(record.event)));',
  ),
  'an event that was seen drops its reference twice': twice(
    'record.socket->drop(base::Reference::event, base::Cause(to_string(record.event)));',
  ),
  'bytes that were seen keep their buffer': without(
    'stack_->engine().recycle(static_cast<std::uint32_t>(record.first));',
  ),
  'bytes that were seen give their buffer back twice': twice(
    'stack_->engine().recycle(static_cast<std::uint32_t>(record.first));',
  ),
  'a slot is not used again after its farewell': without('layer.reuse_slot(record.name);'),
  'events of a closed socket are delivered': replace(
    'record.socket != nullptr && record.socket->life() != socket::Life::open',
    'false',
  ),
  'bytes that are given away keep the reference of their event': without(
    'record.socket->drop(base::Reference::event, base::Cause("detached"));',
  ),
  'bytes that are given away are delivered too': without('records_.erase(kept, records_.end());'),
  'an exit forgets the batch that is being delivered': withoutAfter(
    'void EventQueue::discard_all(socket::SocketLayer& layer) noexcept {',
    'settle(layer);',
  ),
});

const turn = mutantsOf('src-native/core/core.cpp', SOCKETS, {
  'giving away does not end what is in flight': without('await_operations(socket);'),
  'a buffer whose bytes are given away is lost': without('events_.discard(chunk);'),
  'a socket whose resource has left stays open': without('socket.close(false);'),
  'an exit waits for no socket': replace('if (layer_.live() == 0) break;', 'break;'),
  'an exit closes no socket': without('layer_.close_all();'),
  'a listener without descriptors is not woken by a close': without('stack_.retry_accepts();'),
});

const commands = mutantsOf('src-native/core/command_reader.cpp', ['command_reader_test'], {
  'commands reach sockets that are closing': replace(
    'found != nullptr && found->life() == socket::Life::open ? found : nullptr',
    'found',
  ),
  'bytes outside the memory are sent': replace(
    'offset > memory_->transmit.size() || length > memory_->transmit.size() - offset',
    'false',
  ),
  'a close overtakes what was written before it': without('if (must_wait(command)) return true;'),
  'a ring longer than its memory is read': replace('length_ > kLimit ||', ''),
});

const turnCounter = mutantsOf('src-native/core/core.cpp', ['command_reader_test'], {
  'turns are not counted': without(
    'memory_.header(Header::turn) = static_cast<std::int32_t>(++turn_);',
  ),
});

const sending = mutantsOf('src-native/protocol/send_queue.cpp', ['send_queue_test'], {
  'memory that is being sent is not pinned': without('piece.pin = std::move(pin);'),
  'bytes in the hands of the kernel move': without('piece.handed_out = true;'),
  'bytes that have left stay': without('pieces_.erase(pieces_.begin(), piece);'),
  'a write that has left is answered twice': without('marks_.erase(marks_.begin(), mark);'),
});

export const CORE = [...events, ...turn, ...commands, ...turnCounter, ...sending];
