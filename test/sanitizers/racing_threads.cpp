// A program whose two threads race for one number. The tests under ThreadSanitizer run it first and
// require that the race is reported.
#include <cstdio>
#include <thread>

int main() {
  int shared = 0;
  std::thread other([&] { ++shared; });
  ++shared;
  other.join();
  std::printf("%d\n", shared);
}
