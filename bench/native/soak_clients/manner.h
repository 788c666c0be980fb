// How a client behaves on one connection, as a table: what it sends, what it does then, and how the
// connection is to end. One connection in ten misbehaves, all kinds of misbehaviour equally often.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "soak_clients/pattern.h"

namespace soref::bench {

enum class Sends : uint8_t { nothing, half, all };

// What a client does when it has sent what it sends.
enum class Then : uint8_t {
  wait,
  half_close,
  close,
  reset,
};

// What a client does with an answer.
enum class Answer : uint8_t {
  check,   // reads it to its end and compares every byte
  ignore,  // lets it stand
  close,   // closes when there is something to read, and reads none of it
  reset,   // reads the beginning and resets
};

// What makes the end of a connection a right one.
enum class Ending : uint8_t {
  whole_answer,  // all of the answer, then the server's end; nothing else will do
  server,        // the server ends or resets it
  client,        // the client's patience comes to its end, or the server's end before
};

struct Manner {
  const char* name;
  Sends sends = Sends::all;
  Then then = Then::wait;
  Answer answer = Answer::check;
  Ending ending = Ending::client;
  uint32_t orders = 0;
  bool large = false;  // request and answer are larger than buffers in between
  bool slow = false;   // small segments and a small window, so that the server cannot send
  uint32_t patience_ms = 20'000;  // then the connection has failed, or ends as `ending` has it
};

inline constexpr std::array kManners = {
    Manner{.name = "converse", .ending = Ending::whole_answer},
    Manner{.name = "reset before accept", .sends = Sends::nothing, .then = Then::reset},
    Manner{
        .name = "reset in the request", .sends = Sends::half, .then = Then::reset, .large = true},
    Manner{.name = "reset in the answer", .answer = Answer::reset, .large = true, .slow = true},
    Manner{.name = "leave in the request", .sends = Sends::half, .then = Then::close},
    Manner{.name = "close with unread data", .answer = Answer::close, .large = true},
    Manner{.name = "half-close and stall",
           .then = Then::half_close,
           .answer = Answer::ignore,
           .orders = kOrderTimeout,
           .large = true,
           .slow = true,
           .patience_ms = 150},
    Manner{.name = "stall in the request",
           .sends = Sends::half,
           .ending = Ending::server,
           .orders = kOrderTimeout},
    Manner{.name = "say nothing", .sends = Sends::nothing, .patience_ms = 20},
    Manner{.name = "destroyed with unread data",
           .ending = Ending::server,
           .orders = kOrderDestroy,
           .large = true},
    Manner{.name = "reset by the server", .ending = Ending::server, .orders = kOrderReset},
    // Those below come many at a time.
    Manner{.name = "storm", .patience_ms = 100},
    Manner{.name = "killed in the request", .sends = Sends::half, .large = true},
    Manner{.name = "killed in the answer", .answer = Answer::ignore, .large = true, .slow = true},
};

inline constexpr size_t kConverse = 0;
inline constexpr size_t kFirstTrouble = 1;
inline constexpr size_t kStorm = 11;
inline constexpr size_t kKilledInRequest = 12;
inline constexpr size_t kKilledInAnswer = 13;

}  // namespace soref::bench
