#pragma once

#include <netinet/in.h>

namespace posix_daemon {

union PortAddress {
  sockaddr generic;
  sockaddr_in ipv4;
  sockaddr_in6 ipv6;
};

// Reads HOST:PORT, the host as a number: 127.0.0.1:80, ::1:80.
bool ReadPortAddress(const char* text, PortAddress* address);

// Whether somebody listens there. The kernel tells nobody of a port that opens: it has to be tried.
bool IsOpen(const PortAddress& address);

}  // namespace posix_daemon
