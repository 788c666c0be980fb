// A fuzzer that reads beyond what it is given, once it has found three letters. The fuzzers are run
// after it, and only if it stops there: they could find as much.
#include <cstddef>
#include <cstdint>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::uint8_t> input(data, data + size);
  if (size < 3 || input[0] != 's' || input[1] != 'o' || input[2] != 'r') return 0;
  return input.data()[size] == 0 ? 0 : -1;
}
