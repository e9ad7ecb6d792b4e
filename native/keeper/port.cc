#include "port.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <charconv>
#include <cstring>

namespace posix_daemon {

bool ReadPortAddress(const char* text, PortAddress* address) {
  const char* const colon = strrchr(text, ':');
  char host[INET6_ADDRSTRLEN];
  if (colon == nullptr || static_cast<size_t>(colon - text) >= sizeof host) return false;
  memcpy(host, text, colon - text);
  host[colon - text] = '\0';
  in_port_t port = 0;
  const char* const end = colon + 1 + strlen(colon + 1);
  const auto [rest, error] = std::from_chars(colon + 1, end, port);
  if (error != std::errc() || rest != end || port == 0) return false;
  *address = {};
  if (inet_pton(AF_INET, host, &address->ipv4.sin_addr) == 1) {
    address->ipv4.sin_family = AF_INET;
    address->ipv4.sin_port = htons(port);
    return true;
  }
  if (inet_pton(AF_INET6, host, &address->ipv6.sin6_addr) != 1) return false;
  address->ipv6.sin6_family = AF_INET6;
  address->ipv6.sin6_port = htons(port);
  return true;
}

// A port of the range that connections get theirs from can be its own other end: TCP lets two begin at once.
static bool IsOwnEnd(int fd, const PortAddress& address) {
  PortAddress own = {};
  socklen_t length = sizeof own;
  if (getsockname(fd, &own.generic, &length) == -1) return false;
  if (address.generic.sa_family == AF_INET) {
    return own.ipv4.sin_port == address.ipv4.sin_port && own.ipv4.sin_addr.s_addr == address.ipv4.sin_addr.s_addr;
  }
  return own.ipv6.sin6_port == address.ipv6.sin6_port &&
         memcmp(&own.ipv6.sin6_addr, &address.ipv6.sin6_addr, sizeof(in6_addr)) == 0;
}

bool IsOpen(const PortAddress& address) {
  const int fd = socket(address.generic.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd == -1) return false;
  // On this machine the answer comes at once. What is on another one must not hold up the supervisor.
  const timeval limit = {0, 50'000};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const socklen_t length = address.generic.sa_family == AF_INET ? sizeof address.ipv4 : sizeof address.ipv6;
  const bool open = connect(fd, &address.generic, length) == 0 && !IsOwnEnd(fd, address);
  close(fd);
  return open;
}

}  // namespace posix_daemon
