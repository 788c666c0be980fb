// The ledger and the list of live sockets, as JavaScript objects.
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

template <typename Count>
Napi::Object references(Napi::Env env, Count by_tag) {
  using base::Reference;
  Napi::Object out = Napi::Object::New(env);
  out.Set("consumer", count(env, by_tag(Reference::consumer)));
  out.Set("queue", count(env, by_tag(Reference::queue)));
  out.Set("protocol", count(env, by_tag(Reference::protocol)));
  out.Set("operation", count(env, by_tag(Reference::operation)));
  out.Set("event", count(env, by_tag(Reference::event)));
  return out;
}

Napi::Value ledger(Info info) {
  Napi::Env env = info.Env();
  core::Core& core = core_of(info);
  // What JavaScript has asked for counts as done, as far as that takes no waiting.
  core.settle();
  base::Ledger& ledger = core.ledger();
  Napi::Object out = Napi::Object::New(env);
  out.Set("attached", count(env, ledger.attached));
  out.Set("detached", count(env, ledger.detached));
  out.Set("live", count(env, ledger.live()));
  out.Set("references", references(env, [&](base::Reference tag) { return ledger.held(tag); }));
  out.Set("descriptors", count(env, ledger.descriptors));
  out.Set("attachFailed", count(env, ledger.attach_failed));
  Napi::Object operations = Napi::Object::New(env);
  operations.Set("submitted", count(env, ledger.operations_submitted));
  operations.Set("completed", count(env, ledger.operations_completed));
  out.Set("operations", operations);
  Napi::Object events = Napi::Object::New(env);
  events.Set("queued", count(env, ledger.events_queued));
  events.Set("delivered", count(env, ledger.events_delivered));
  out.Set("events", events);
  out.Set("pinnedBuffers", count(env, ledger.pinned_buffers));
  out.Set("acceptsPaused", count(env, ledger.accepts_paused));
  out.Set("staleNames", count(env, ledger.stale_names));
  out.Set("badCommands", count(env, ledger.bad_commands));
  out.Set("systemCalls", count(env, core.engine().system_calls()));
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

Napi::Value sockstat(Info info) {
  Napi::Env env = info.Env();
  core::Core& core = core_of(info);
  core.settle();
  Napi::Array rows = Napi::Array::New(env);
  const std::uint64_t now = base::monotonic_milliseconds();
  core.layer().for_each([&](socket::Socket& socket) {
    Napi::Object row = Napi::Object::New(env);
    row.Set("slot", count(env, socket.name().slot));
    row.Set("protocol", socket.protocol().name());
    set_name(row, "local", socket, &protocol::Protocol::local_name);
    set_name(row, "remote", socket, &protocol::Protocol::peer_name);
    row.Set("life", socket::to_string(socket.life()));
    row.Set("state", socket::to_string(socket.connection()));
    row.Set("fd", socket.protocol().resource(socket.control_block()));
    row.Set("sendQueue", count(env, socket.outgoing().size()));
    row.Set("acceptQueue", count(env, socket.queued_connections()));
    row.Set("references", references(env, [&](base::Reference tag) {
              return std::uint64_t{socket.references(tag)};
            }));
    row.Set("age", count(env, now - socket.created_at()));
    rows.Set(rows.Length(), row);
  });
  return rows;
}

}  // namespace

void define_reports(Napi::Env env, Napi::Object target, Environment& environment) {
  target.Set("ledger", Napi::Function::New(env, ledger, "ledger", &environment));
  target.Set("sockstat", Napi::Function::New(env, sockstat, "sockstat", &environment));
}

}  // namespace soref::binding
