#pragma once

#include <cstddef>

namespace posix_daemon {

// As in "2025-06-01T12:34:56.789Z ".
constexpr size_t kTimestampSize = 25;

// Writes the present time, kTimestampSize bytes without a NUL.
void WriteTimestamp(char* text);

}  // namespace posix_daemon
