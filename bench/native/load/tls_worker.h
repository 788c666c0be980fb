// The loads over TLS: the requests of the HTTP loads, on connections that OpenSSL speaks on. No
// session is taken up again, so every connection costs its server a whole handshake. The
// certificate is not looked at: it costs the client, which is not measured.
#pragma once

#if SOREF_HAVE_OPENSSL

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "http_message.h"
#include "worker.h"

namespace soref::bench {

class TlsWorker final : public Worker {
 public:
  TlsWorker(const Options& options, SharedState& shared, const Share& share)
      : Worker(options, shared, share, options.mode == Mode::https),
        context_(SSL_CTX_new(TLS_client_method())),
        exchanges_(share.concurrency) {
    if (context_ == nullptr) _exit(1);
    SSL_CTX_set_verify(context_, SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(context_, 1);
  }
  ~TlsWorker() override { SSL_CTX_free(context_); }

 private:
  struct Exchange {
    SSL* tls = nullptr;
    bool requested = false;
    bool answered = false;
    std::array<char, 64> last{};  // bytes of the answer
  };

  void begin(uint32_t slot) override {
    Exchange& exchange = exchanges_[slot];
    exchange = Exchange{};
    exchange.tls = SSL_new(context_);
    if (exchange.tls == nullptr || SSL_set_fd(exchange.tls, connections_[slot].descriptor) != 1) {
      return fail(slot, failure_of(ENOMEM));
    }
    SSL_set_connect_state(exchange.tls);
    if (bounded_ && keeps_connections_) --budget_;
    // Edge-triggered for both: on_ready goes on until OpenSSL wants what is not there.
    watch(slot, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  }

  void on_ready(uint32_t slot, uint32_t) override {
    const Connection& connection = connections_[slot];
    while (connection.descriptor >= 0) {
      const bool goes_on = exchanges_[slot].requested ? receive(slot) : request(slot);
      if (!goes_on) return;
    }
  }

  // Both return whether there is more to do now. The handshake runs with the first request.
  bool request(uint32_t slot) {
    Exchange& exchange = exchanges_[slot];
    const std::string_view text = keeps_connections_ ? kHttpRequest : kLastHttpRequest;
    ERR_clear_error();
    const int result = SSL_write(exchange.tls, text.data(), static_cast<int>(text.size()));
    if (result <= 0) return is_waiting(slot, result);
    exchange.requested = true;
    return true;
  }

  bool receive(uint32_t slot) {
    Exchange& exchange = exchanges_[slot];
    std::array<char, 4096> buffer;
    ERR_clear_error();
    const int size = SSL_read(exchange.tls, buffer.data(), static_cast<int>(buffer.size()));
    if (size <= 0) {
      if (SSL_get_error(exchange.tls, size) != SSL_ERROR_ZERO_RETURN) return is_waiting(slot, size);
      on_end(slot);
      return false;
    }
    if (exchange.answered) return fail(slot, kUnexpectedData), false;
    exchange.answered = ends_http_answer(exchange.last, buffer.data(), static_cast<uint32_t>(size));
    if (!exchange.answered || !keeps_connections_) return true;
    complete(connections_[slot].since);
    if (connections_[slot].shut) return true;
    if (ending_ || (bounded_ && budget_ == 0)) {
      end(slot);
      return connections_[slot].descriptor >= 0;
    }
    if (bounded_) --budget_;
    exchange.requested = exchange.answered = false;
    connections_[slot].since = now_ns();
    return true;
  }

  // Fails the connection unless OpenSSL only waits for the network.
  bool is_waiting(uint32_t slot, int result) {
    const int error = SSL_get_error(exchanges_[slot].tls, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return false;
    const int cause = error == SSL_ERROR_SYSCALL && errno != 0 ? errno : EPROTO;
    // A peer may leave out the close_notify once the answer was complete.
    if (connections_[slot].shut || exchanges_[slot].answered) {
      on_end(slot);
    } else {
      fail(slot, failure_of(cause));
    }
    return false;
  }

  void on_end(uint32_t slot) {
    const bool expected = keeps_connections_ ? connections_[slot].shut : exchanges_[slot].answered;
    if (!expected) return fail(slot, kUnexpectedEnd);
    if (!keeps_connections_) complete(connections_[slot].since);
    succeed(slot);
  }

  void end_kept(uint32_t slot) override {
    if (exchanges_[slot].answered) end(slot);
  }

  void end(uint32_t slot) {
    SSL_shutdown(exchanges_[slot].tls);
    shut(slot);
  }

  void on_release(uint32_t slot) override {
    SSL_free(exchanges_[slot].tls);
    exchanges_[slot].tls = nullptr;
  }

  SSL_CTX* context_;
  std::vector<Exchange> exchanges_;
};

}  // namespace soref::bench

#endif
