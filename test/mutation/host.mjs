// Mutants of src-native/host: references of operations, cancelling, and who closes a descriptor.
// Left out, since no caller can tell them from the source:
// - dropping an operation's reference before its upcalls: what nothing refers to is freed between
//   two completions, so nothing is under them that the reference would have kept;
// - reporting a connect to a socket that is leaving, and starting a receive again that a leaving
//   socket no longer wants: the socket layer ignores the one, and leaving has withdrawn the other.
import { mutantsOf, replace, without } from './changes.mjs';

const SOCKETS = [
  'bounded_turn_test',
  'kernel_closing_test',
  'kernel_listener_test',
  'kernel_invariants_test',
  'interrupted_runs_test',
  'kernel_socket_test',
];

/** Leaves out the statement that takes the reference of one kind of operation. */
const withoutOperation = (kind) => (text) => {
  const statement = new RegExp(`^ .*base::Cause\\("${kind}"\\)\\);\\n`, 'm');
  if (!statement.test(text)) throw new Error(`no reference is taken for ${kind}`);
  return text.replace(statement, '');
};

const stack = mutantsOf('src-native/host/host_stack.cpp', SOCKETS, {
  'an accept holds no reference': withoutOperation('accept'),
  'a receive holds no reference': withoutOperation('receive'),
  'a send holds no reference': withoutOperation('send'),
  'a connect holds no reference': withoutOperation('connect'),
  'a shared descriptor blocks its other users': replace(
    'block.channel.shared || engine_->wants_nonblocking()',
    'engine_->wants_nonblocking()',
  ),
  'the first completion counts as the last': replace(
    'if (completion.final) { finished = std::move(reads ? block.reading : block.writing);',
    '{ finished = std::move(reads ? block.reading : block.writing);',
  ),
  'the last completion drops no reference': without(
    'finished = std::move(reads ? block.reading : block.writing);',
  ),
  'leaving does not cancel what reads': replace(
    'engine_->cancel_read(block.channel); engine_->cancel_write(block.channel);',
    'engine_->cancel_write(block.channel);',
  ),
  'leaving does not cancel what writes': replace(
    'engine_->cancel_read(block.channel); engine_->cancel_write(block.channel);',
    'engine_->cancel_read(block.channel);',
  ),
  'a channel is not forgotten by its engine': replace(
    'if (!engine_->forget(block.channel)) lose(block);',
    '',
  ),
  'a channel is forgotten with operations in flight': replace(
    'if (!block.left || !block.channel.idle()) return;',
    'if (!block.left) return;',
  ),
  'a descriptor without operations stays open until the detach': without('close_unused(block);'),
  'a number that was given away keeps its owner': replace(
    'lose(block); disown(block);',
    'lose(block);',
  ),
  'a lost descriptor is closed all the same': without(
    'static_cast<void>(block.descriptor.release());',
  ),
  'a reader whose descriptor is lost waits on': without(
    'if (block.channel.read_state == engine::OperationState::in_flight) { engine_->cancel_read(block.channel); }',
  ),
  'a listener without descriptors never tries again': without('paused_.push_back(&block);'),
  'running out of descriptors is a failure': replace('error == -EMFILE ||', ''),
  'a closed listener that waited for descriptors tries again': without(
    'if (block.listening) std::erase(paused_, &block);',
  ),
  'a leaving listener leaks what it still accepts': replace(
    'if (completion.result >= 0) block.socket->incoming(completion.result);',
    'if (completion.result >= 0 && !block.leaving) block.socket->incoming(completion.result);',
  ),
  'a listener that waits tries again twice': replace(
    'start_accept(*block);',
    '{ start_accept(*block); start_accept(*block); }',
  ),
  'credit that came back during a cancel is forgotten': replace(
    '} else if (block.receive_wanted && !block.leaving) { // Credit came back while the cancellation was under way. start_receive(block); }',
    '}',
  ),
  'what has broken a connection is a good end for who reads': replace(
    'completion.result == 0 ? block.channel.broken_by : completion.result;',
    'completion.result;',
  ),
  'a leaving socket sends on': replace(
    'if (!block.leaving) { if (!rest.empty()) start_send(block); }',
    'if (!rest.empty()) { start_send(block); }',
  ),
  'what was written behind a send in flight is lost with a close': replace(
    'block.left && rest.untried()',
    'false',
  ),
});

const life = mutantsOf('src-native/host/kernel_protocol.cpp', SOCKETS, {
  'a control block outlives its detach': without('delete &mine;'),
  'a lost descriptor takes its channel from under the engine': without(
    'if (mine.lost()) return stack_->keep(mine);',
  ),
  'an outside resource gets two owners': without('if (stack_->owns(number)) return -EEXIST;'),
  'a descriptor has no owner': without('stack_->own(*created);'),
});

const end = mutantsOf('src-native/host/kernel_transfer.cpp', SOCKETS, {
  'leaving cancels nothing': (text) =>
    replace(/stack_->cancel\(\w+\);/.exec(text)?.[0] ?? '', '')(text),
  'a descriptor is closed with operations in flight': replace(
    'stack_->close_unused(block);',
    'block.descriptor.reset();',
  ),
  'a close overtakes what others send': without(
    'if (block.channel.idle()) stack_->engine().hand_over();',
  ),
  'a send starts beside the one in flight': replace(
    'if (!writes(mine)) stack_->start_send(mine);',
    'stack_->start_send(mine);',
  ),
  'a receive starts beside the one in flight': replace('wanted && !reads(mine)', 'wanted'),
  'a released channel is not forgotten by its engine': without('stack_->forget(mine);'),
  'a socket without operations is not closed when it leaves': without(
    'stack_->close_unused(block);',
  ),
  'a released descriptor is closed all the same': replace(
    'return mine.descriptor.release();',
    'return mine.descriptor.number();',
  ),
  'the path of a released listener is removed': without('mine.bound_path.reset();'),
  'a path stays when its listener has gone': without(
    'if (block.bound_path != nullptr) ::unlink(block.bound_path->c_str());',
  ),
  'an abort ends the stream and does not reset it': without(
    'static_cast<void>(set_option(block, protocol::Option::reset_on_close, 1));',
  ),
  'a resource that is discarded stays open': without('::close(resource);'),
});

export const HOST = [...stack, ...life, ...end];
