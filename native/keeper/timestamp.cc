#include "timestamp.h"

#include <cstdio>
#include <cstring>
#include <ctime>

namespace posix_daemon {

void WriteTimestamp(char* text) {
  // The date is the same for all lines of a second.
  static time_t second = -1;
  static char date[sizeof "2025-06-01T12:34:56"];
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (now.tv_sec != second) {
    tm parts;
    gmtime_r(&now.tv_sec, &parts);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
    second = now.tv_sec;
  }
  char whole[64];
  snprintf(whole, sizeof whole, "%s.%03ldZ ", date, now.tv_nsec / 1000000);
  memcpy(text, whole, kTimestampSize);
}

}  // namespace posix_daemon
