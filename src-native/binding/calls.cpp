// The synchronous calls. Each finds its socket by slot and generation, and answers a negative errno
// where that fails. JavaScript has validated already; the checks here only keep the core safe.
#include "binding/calls.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <span>

#include "binding/environment.h"

namespace soref::binding {

namespace {

using Info = const Napi::CallbackInfo&;

Environment& environment_of(Info info) { return *static_cast<Environment*>(info.Data()); }

core::Core& core_of(Info info) { return environment_of(info).core(); }

std::int32_t integer(Info info, std::size_t index) {
  return index < info.Length() && info[index].IsNumber() ? info[index].As<Napi::Number>() : -1;
}

bool boolean(Info info, std::size_t index) {
  return index < info.Length() && info[index].IsBoolean() && info[index].As<Napi::Boolean>();
}

std::string text(Info info, std::size_t index) {
  return index < info.Length() && info[index].IsString()
             ? info[index].As<Napi::String>().Utf8Value()
             : std::string();
}

Napi::Value number(Info info, int value) { return Napi::Number::New(info.Env(), value); }

// The socket that the first two arguments name, while it has a consumer.
socket::Socket* socket_of(Info info) {
  socket::Socket* found = core_of(info).layer().find(
      {static_cast<std::uint32_t>(integer(info, 0)), static_cast<std::uint32_t>(integer(info, 1))});
  return found != nullptr && found->life() == socket::Life::open ? found : nullptr;
}

protocol::Name name_from(Info info, std::size_t index) {
  protocol::Name name;
  name.address = text(info, index);
  name.port = static_cast<std::uint16_t>(integer(info, index + 1));
  return name;
}

int created(core::Core& core, std::uint32_t family, protocol::Origin origin) {
  using core::Header;
  socket::Socket* socket = nullptr;
  if (const int error = core.layer().create(family, origin, socket)) return error;
  core.memory().header(Header::result_slot) = static_cast<std::int32_t>(socket->name().slot);
  core.memory().header(Header::result_generation) =
      static_cast<std::int32_t>(socket->name().generation);
  return static_cast<int>(family);
}

// (family): the family, or a negative errno. Slot and generation are in the header.
Napi::Value attach(Info info) {
  return number(info, created(core_of(info), static_cast<std::uint32_t>(integer(info, 0)), {}));
}

// (resource, duplicate): as attach, for a descriptor from outside. A duplicated one stays its
// owner's; else it is ours if this succeeds.
Napi::Value attach_external(Info info) {
  core::Core& core = core_of(info);
  core.settle();
  int resource = integer(info, 0);
  const int family = core.layer().protocols().family_of(resource);
  if (family < 0) return number(info, family);
  const bool duplicate = boolean(info, 1);
  if (duplicate) {
    resource = ::fcntl(resource, F_DUPFD_CLOEXEC, 0);
    if (resource < 0) return number(info, -errno);
  }
  const int result = created(core, static_cast<std::uint32_t>(family),
                             {protocol::Origin::Kind::external, resource});
  if (result < 0 && duplicate) ::close(resource);
  return number(info, result);
}

// (slot, generation, address, port, ipv6Only, reusePort)
Napi::Value bind(Info info) {
  core_of(info).settle();
  socket::Socket* socket = socket_of(info);
  if (socket == nullptr) return number(info, -EBADF);
  return number(info, socket->bind(name_from(info, 2), {.ipv6_only = boolean(info, 4),
                                                        .reuse_port = boolean(info, 5)}));
}

// (slot, generation, backlog)
Napi::Value listen(Info info) {
  core_of(info).settle();
  socket::Socket* socket = socket_of(info);
  return number(info, socket == nullptr ? -EBADF : socket->listen(integer(info, 2)));
}

// (slot, generation, address, port)
Napi::Value connect(Info info) {
  core_of(info).settle();
  socket::Socket* socket = socket_of(info);
  return number(info, socket == nullptr ? -EBADF : socket->connect(name_from(info, 2)));
}

Napi::Value fill_name(Info info,
                      int (protocol::Protocol::*ask)(protocol::ControlBlock&, protocol::Name&)) {
  socket::Socket* socket = socket_of(info);
  if (socket == nullptr) return number(info, -EBADF);
  protocol::Name name;
  if (const int error = (socket->protocol().*ask)(socket->control_block(), name)) {
    return number(info, error);
  }
  auto out = info[2].As<Napi::Object>();
  out.Set("address", name.address);
  if (name.family != 0) {
    out.Set("family", name.family == 6 ? "IPv6" : "IPv4");
    out.Set("port", static_cast<int>(name.port));
  }
  return number(info, 0);
}

// (slot, generation, out)
Napi::Value local_name(Info info) { return fill_name(info, &protocol::Protocol::local_name); }
Napi::Value peer_name(Info info) { return fill_name(info, &protocol::Protocol::peer_name); }

// (slot, generation, option, value)
Napi::Value set_option(Info info) {
  core_of(info).drain();
  socket::Socket* socket = socket_of(info);
  const std::int32_t option = integer(info, 2);
  if (socket == nullptr) return number(info, -EBADF);
  if (option < 0 || option >= protocol::kOptionCount) return number(info, -EINVAL);
  return number(
      info, socket->protocol().set_option(socket->control_block(),
                                          static_cast<protocol::Option>(option), integer(info, 3)));
}

// (slot, generation, option): the value or a negative errno
Napi::Value option(Info info) {
  core_of(info).drain();
  socket::Socket* socket = socket_of(info);
  const std::int32_t which = integer(info, 2);
  if (socket == nullptr) return number(info, -EBADF);
  if (which < 0 || which >= protocol::kOptionCount) return number(info, -EINVAL);
  return number(info, socket->protocol().option(socket->control_block(),
                                                static_cast<protocol::Option>(which)));
}

// (slot, generation): the descriptor, or -1
Napi::Value resource(Info info) {
  socket::Socket* socket = socket_of(info);
  return number(info,
                socket == nullptr ? -1 : socket->protocol().resource(socket->control_block()));
}

// (slot, generation): bytes that have not left
Napi::Value outgoing_size(Info info) {
  core_of(info).drain();
  socket::Socket* socket = socket_of(info);
  return Napi::Number::New(info.Env(),
                           socket == nullptr ? 0.0 : static_cast<double>(socket->unsent()));
}

// Keeps a JavaScript buffer where it is while the kernel may read it.
class BufferPin final : public protocol::Pin {
 public:
  BufferPin(Napi::Uint8Array buffer, base::Ledger& ledger)
      : reference_(Napi::Persistent(buffer.As<Napi::Object>())), ledger_(&ledger) {
    ++ledger_->pinned_buffers;
  }
  ~BufferPin() override { --ledger_->pinned_buffers; }

 private:
  Napi::ObjectReference reference_;
  base::Ledger* ledger_;
};

// (slot, generation, bytes): queues a large piece of a write, to be sent from where it is.
Napi::Value append_pinned(Info info) {
  core::Core& core = core_of(info);
  core.drain();
  socket::Socket* socket = socket_of(info);
  if (socket == nullptr) return number(info, -EBADF);
  if (!info[2].IsTypedArray()) return number(info, -EINVAL);
  auto bytes = info[2].As<Napi::Uint8Array>();
  socket->send_pinned(std::as_bytes(std::span(bytes.Data(), bytes.ByteLength())),
                      std::make_unique<BufferPin>(bytes, core.ledger()));
  return number(info, 0);
}

// (slot, generation, now): what was queued is a write. It leaves at once as far as the kernel takes
// it, or with the turn's others. 1: all of it has left; 0: an event reports its end.
Napi::Value send_appended(Info info) {
  core::Core& core = core_of(info);
  core.drain();
  socket::Socket* socket = socket_of(info);
  if (socket == nullptr) return number(info, -EBADF);
  if (boolean(info, 2)) core.send_now(*socket);
  return number(info, socket->notify_when_drained() ? 0 : 1);
}

// (slot, generation, out): ends the socket without ending its connection, and gives the descriptor.
// out.head gets what was received and not delivered, out.tail what was not sent.
Napi::Value detach(Info info) {
  core::Core& core = core_of(info);
  core.drain();
  socket::Socket* socket = socket_of(info);
  if (socket == nullptr) return number(info, -EBADF);
  auto out = info[2].As<Napi::Object>();
  Napi::Array head = Napi::Array::New(info.Env());
  Napi::Array tail = Napi::Array::New(info.Env());
  const auto append_to = [&](Napi::Array& out_bytes) {
    return [&](std::span<const std::byte> bytes) {
      out_bytes.Set(out_bytes.Length(),
                    Napi::Buffer<std::byte>::Copy(info.Env(), bytes.data(), bytes.size()));
    };
  };
  const int descriptor = core.release(*socket, append_to(head), append_to(tail));
  out.Set("head", head);
  out.Set("tail", tail);
  return number(info, descriptor);
}

// Carries out the commands written so far, to make room for more.
Napi::Value drain(Info info) {
  core_of(info).drain();
  return info.Env().Undefined();
}

// Carries them out, and lets sockets that are closing end as far as that takes no waiting: a
// listener is gone, with its path and port, when its close returns.
Napi::Value settle(Info info) {
  core_of(info).settle();
  return info.Env().Undefined();
}

// What was written leaves now: the process is about to exit. Whether a turn must tell of bytes that
// did not.
Napi::Value flush(Info info) { return Napi::Boolean::New(info.Env(), core_of(info).flush()); }

// (error): the process's handlers hear of it at once, and go on in an empty async context.
Napi::Value report_uncaught(Info info) {
  napi_fatal_exception(info.Env(), info[0]);
  return info.Env().Undefined();
}

// (referenced)
Napi::Value reference_loop(Info info) {
  environment_of(info).loop().set_referenced(boolean(info, 0));
  return info.Env().Undefined();
}

}  // namespace

void define_calls(Napi::Env env, Napi::Object target, Environment& environment) {
  const auto define = [&](const char* name, Napi::Value (*call)(Info)) {
    target.Set(name, Napi::Function::New(env, call, name, &environment));
  };
  define("attach", attach);
  define("attachExternal", attach_external);
  define("bind", bind);
  define("listen", listen);
  define("connect", connect);
  define("localName", local_name);
  define("peerName", peer_name);
  define("setOption", set_option);
  define("option", option);
  define("resource", resource);
  define("outgoingSize", outgoing_size);
  define("appendPinned", append_pinned);
  define("sendAppended", send_appended);
  define("detach", detach);
  define("drain", drain);
  define("settle", settle);
  define("flush", flush);
  define("referenceLoop", reference_loop);
  define("reportUncaught", report_uncaught);
}

}  // namespace soref::binding
