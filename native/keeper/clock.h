#pragma once

#include <cstdint>
#include <ctime>

namespace posix_daemon {

// Milliseconds of a clock that nobody sets.
inline uint64_t Clock() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

// Milliseconds since 1970, for people to read: nothing is measured with it.
inline int64_t WallClock() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

// As ppoll takes a time.
inline timespec Milliseconds(uint64_t count) {
  return {static_cast<time_t>(count / 1000), static_cast<long>(count % 1000 * 1000000)};
}

}  // namespace posix_daemon
