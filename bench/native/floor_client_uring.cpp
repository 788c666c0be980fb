// The floor for io_uring as a client: a connection is one chain of connect, send and receive, which
// completes once, when the answer and the end are there; socket() is a plain call, and the close
// goes with the next submission.
#include "floor/client.h"

#if SOREF_HAVE_LIBURING

#include <memory>
#include <vector>

#include "floor/ring.h"

namespace soref::bench {
namespace {

enum class Kind : uint16_t { input, connect, send, receive, close };

uint64_t name_of(Kind kind, int descriptor) {
  return static_cast<uint64_t>(kind) << 48 | static_cast<uint32_t>(descriptor);
}

class Client {
 public:
  Client() : ring_(0, 0) { ring_.poll(STDIN_FILENO, name_of(Kind::input, STDIN_FILENO)); }

  int run() {
    while (!orders_.ended() || live_ > 0) {
      while (orders_.running() && live_ < orders_.concurrency()) open();
      if (live_ == 0) orders_.on_rest(counts_);
      ring_.turn([this](const io_uring_cqe& completion) { on_completion(completion); });
    }
    ring_.end();
    return orders_.conclude(counts_);
  }

 private:
  // One byte more than there should be, so that the receive completes at the end.
  using Answer = std::array<char, kMessageSize + 1>;

  void open() {
    ++counts_.opened;
    ++live_;
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) die("socket", errno);
    const auto index = static_cast<size_t>(descriptor);
    if (index >= answers_.size()) answers_.resize(index + 1);
    if (!answers_[index]) answers_[index] = std::make_unique<Answer>();
    static constexpr std::array<char, kMessageSize> kRequest{'q'};

    ring_.reserve(3);  // a chain ends where a submission does
    io_uring_sqe* connect = ring_.next_submission();
    io_uring_prep_connect(connect, descriptor,
                          reinterpret_cast<const sockaddr*>(&orders_.destination()),
                          sizeof(sockaddr_in));
    connect->flags |= IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(connect, name_of(Kind::connect, descriptor));
    io_uring_sqe* send = ring_.next_submission();
    io_uring_prep_send(send, descriptor, kRequest.data(), kRequest.size(),
                       MSG_WAITALL | MSG_NOSIGNAL);
    send->flags |= IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(send, name_of(Kind::send, descriptor));
    io_uring_sqe* receive = ring_.next_submission();
    io_uring_prep_recv(receive, descriptor, answers_[index]->data(), sizeof(Answer), MSG_WAITALL);
    io_uring_sqe_set_data64(receive, name_of(Kind::receive, descriptor));
  }

  void on_completion(const io_uring_cqe& cqe) {
    const uint64_t name = io_uring_cqe_get_data64(&cqe);
    const auto descriptor = static_cast<int>(static_cast<uint32_t>(name));
    switch (static_cast<Kind>(name >> 48)) {
      case Kind::input:
        orders_.read_lines(counts_);
        if (!orders_.ended()) ring_.poll(STDIN_FILENO, name_of(Kind::input, STDIN_FILENO));
        return;
      case Kind::connect:  // these two have a completion only if they fail,
      case Kind::send:     // and then the receive has one too, as cancelled
        return;
      case Kind::receive:
        --live_;
        ++(cqe.res == kMessageSize ? counts_.completed : counts_.failed);
        return ring_.close(descriptor, name_of(Kind::close, descriptor));
      case Kind::close:
        return die("close", -cqe.res);
    }
  }

  Orders orders_;
  Ring ring_;
  uint32_t live_ = 0;
  std::vector<std::unique_ptr<Answer>> answers_;  // by descriptor, as the kernel writes into them
  ClientCounts counts_;
};

}  // namespace
}  // namespace soref::bench

int main() {
  soref::bench::Client client;
  return client.run();
}

#else

int main() {
  std::fputs("floor_client_uring was built without liburing, so it cannot connect\n", stderr);
  return 3;
}

#endif
