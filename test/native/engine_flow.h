// What peers send in the tests of receiving, and what a turn brings of it.
#pragma once

#include "engine_fixture.h"

namespace soref::engine {

inline std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return text;
}

// Sends as much as fits and returns it; the descriptor blocks otherwise.
inline std::size_t fill(int descriptor, const std::string& text, std::size_t from) {
  const ssize_t sent =
      ::send(descriptor, text.data() + from, text.size() - from, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

// Bytes that one turn brings. Its second submit starts nothing again.
inline std::size_t portion(EngineFixture& fixture, Channel& channel) {
  const Record& record = fixture.records[&channel];
  const std::size_t before = record.received.size();
  fixture.engine->submit();
  fixture.take_all();
  fixture.engine->submit();
  fixture.engine->reap();
  fixture.take_all();
  return record.received.size() - before;
}

}  // namespace soref::engine
