#include "timestamp.h"

#include <cstring>
#include <ctime>

#include "text.h"

namespace posix_daemon {

void WriteTimestamp(char* text) {
  // The date is the same for all lines of a second.
  static time_t second = -1;
  static Text<19> date;
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (now.tv_sec != second) {
    tm parts;
    gmtime_r(&now.tv_sec, &parts);
    date = Text<19>("%04d-%02d-%02dT%02d:%02d:%02d", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                    parts.tm_hour, parts.tm_min, parts.tm_sec);
    second = now.tv_sec;
  }
  const Text<kTimestampSize> whole("%s.%03ldZ ", date.c_str(), now.tv_nsec / 1000000);
  memcpy(text, whole.c_str(), kTimestampSize);
}

}  // namespace posix_daemon
