// The ledger, the list of live sockets, and one of them whole, as JavaScript objects.
#include <array>

#include "base/clock.h"
#include "binding/calls.h"
#include "binding/environment.h"

namespace soref::binding {

namespace {

using Info = const Napi::CallbackInfo&;

core::Core& core_of(Info info) { return static_cast<Environment*>(info.Data())->core(); }

Napi::Number count(Napi::Env env, std::uint64_t value) {
  return Napi::Number::New(env, static_cast<double>(value));
}

// Counts by name: `names` says what the place of each is called.
template <typename Names, typename Count>
Napi::Object counts(Napi::Env env, std::size_t size, Names names, Count of) {
  Napi::Object out = Napi::Object::New(env);
  for (std::size_t at = 0; at < size; ++at) out.Set(names(at), count(env, of(at)));
  return out;
}

template <typename Count>
Napi::Object references(Napi::Env env, Count by_tag) {
  const auto tag = [](std::size_t at) { return static_cast<base::Reference>(at); };
  return counts(
      env, base::kReferenceTags, [&](std::size_t at) { return to_string(tag(at)); },
      [&](std::size_t at) { return std::uint64_t{by_tag(tag(at))}; });
}

// How many live sockets are in each state; counted when somebody asks, and not all the time.
template <typename State, std::size_t states, typename StateOf>
Napi::Object by_state(Napi::Env env, const socket::SocketLayer& layer, StateOf state_of) {
  std::array<std::uint64_t, states> found{};
  layer.for_each(
      [&](const socket::Socket& socket) { ++found[static_cast<std::size_t>(state_of(socket))]; });
  return counts(
      env, states, [](std::size_t at) { return socket::to_string(static_cast<State>(at)); },
      [&](std::size_t at) { return found[at]; });
}

// What JavaScript has asked for counts as done, as far as that takes no waiting.
core::Core& settled_core_of(Info info) {
  core::Core& core = core_of(info);
  core.settle();
  core.layer().check_counts();
  return core;
}

Napi::Value ledger(Info info) {
  Napi::Env env = info.Env();
  core::Core& core = settled_core_of(info);
  base::Ledger& ledger = core.ledger();
  Napi::Object out = Napi::Object::New(env);
  const auto set = [&](Napi::Object where, const char* name, std::uint64_t value) {
    where.Set(name, count(env, value));
  };
  set(out, "attachAttempted", ledger.attach_attempted);
  set(out, "attached", ledger.attached);
  set(out, "attachFailed", ledger.attach_failed);
  set(out, "detached", ledger.detached);
  set(out, "live", ledger.live());
  out.Set("lives", by_state<socket::Life, socket::kLives>(
                       env, core.layer(), [](const auto& socket) { return socket.life(); }));
  out.Set("connections",
          by_state<socket::Connection, socket::kConnections>(
              env, core.layer(), [](const auto& socket) { return socket.connection(); }));
  out.Set("references", references(env, [&](base::Reference tag) { return ledger.held(tag); }));
  set(out, "descriptors", ledger.descriptors);
  Napi::Object operations = Napi::Object::New(env);
  set(operations, "submitted", ledger.operations_submitted);
  set(operations, "completed", ledger.operations_completed);
  set(operations, "inFlight", ledger.operations_in_flight());
  out.Set("operations", operations);
  Napi::Object events = Napi::Object::New(env);
  set(events, "queued", ledger.events_queued);
  set(events, "delivered", ledger.events_delivered);
  set(events, "waiting", ledger.events_waiting());
  out.Set("events", events);
  set(out, "pinnedBuffers", ledger.pinned_buffers);
  set(out, "acceptsPaused", ledger.accepts_paused);
  set(out, "staleNames", ledger.stale_names);
  set(out, "badCommands", ledger.bad_commands);
  set(out, "systemCalls", core.engine().system_calls());
  return out;
}

void set_name(Napi::Object row, const char* key, socket::Socket& socket,
              int (protocol::Protocol::*ask)(protocol::ControlBlock&, protocol::Name&)) {
  protocol::Name name;
  if ((socket.protocol().*ask)(socket.control_block(), name) != 0) {
    row.Set(key, "");
  } else if (name.family == 6) {
    row.Set(key, "[" + name.address + "]:" + std::to_string(name.port));
  } else if (name.family == 4) {
    row.Set(key, name.address + ":" + std::to_string(name.port));
  } else {
    row.Set(key, name.address);
  }
}

Napi::Object row_of(Napi::Env env, socket::Socket& socket) {
  Napi::Object row = Napi::Object::New(env);
  const auto set = [&](const char* name, std::uint64_t value) { row.Set(name, count(env, value)); };
  set("slot", socket.name().slot);
  set("generation", socket.name().generation);
  row.Set("protocol", socket.protocol().name());
  set_name(row, "local", socket, &protocol::Protocol::local_name);
  set_name(row, "remote", socket, &protocol::Protocol::peer_name);
  row.Set("life", socket::to_string(socket.life()));
  row.Set("state", socket::to_string(socket.connection()));
  row.Set("fd", socket.protocol().resource(socket.control_block()));
  set("receiveQueue", socket.protocol().unread(socket.control_block()));
  set("sendQueue", socket.unsent());
  set("acceptQueue", socket.queued_connections());
  row.Set("references",
          references(env, [&](base::Reference tag) { return socket.references(tag); }));
  set("age", base::monotonic_milliseconds() - socket.created_at());
  return row;
}

Napi::Value sockstat(Info info) {
  Napi::Env env = info.Env();
  Napi::Array rows = Napi::Array::New(env);
  settled_core_of(info).layer().for_each(
      [&](socket::Socket& socket) { rows.Set(rows.Length(), row_of(env, socket)); });
  return rows;
}

// (slot, generation): the socket's row of sockstat with its operations and its last reference
// changes, or null if there is no socket of that name.
Napi::Value inspect(Info info) {
  Napi::Env env = info.Env();
  socket::Socket* socket = settled_core_of(info).layer().find(
      {info[0].As<Napi::Number>().Uint32Value(), info[1].As<Napi::Number>().Uint32Value()});
  if (socket == nullptr) return env.Null();
  Napi::Object out = row_of(env, *socket);
  Napi::Array operations = Napi::Array::New(env);
  for (const std::string& operation : socket->protocol().operations(socket->control_block())) {
    operations.Set(operations.Length(), operation);
  }
  out.Set("operations", operations);
  Napi::Array changes = Napi::Array::New(env);
  socket->log().for_each([&](const socket::ReferenceChange& change) {
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("reference", to_string(change.tag));
    entry.Set("change", change.taken ? "taken" : "dropped");
    entry.Set("cause", change.cause);
    entry.Set("held", count(env, change.held));
    entry.Set("count", count(env, change.total));
    changes.Set(changes.Length(), entry);
  });
  out.Set("changes", changes);
  return out;
}

}  // namespace

void define_reports(Napi::Env env, Napi::Object target, Environment& environment) {
  target.Set("ledger", Napi::Function::New(env, ledger, "ledger", &environment));
  target.Set("inspect", Napi::Function::New(env, inspect, "inspect", &environment));
  target.Set("sockstat", Napi::Function::New(env, sockstat, "sockstat", &environment));
}

}  // namespace soref::binding
