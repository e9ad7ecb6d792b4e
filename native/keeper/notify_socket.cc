#include "notify_socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace posix_daemon {

namespace {

// Whether a line of the message is this one.
bool Has(const char* message, const char* line) {
  const size_t length = strlen(line);
  for (const char* rest = message; rest != nullptr;) {
    if (strncmp(rest, line, length) == 0 && (rest[length] == '\n' || rest[length] == '\0')) return true;
    rest = strchr(rest, '\n');
    if (rest != nullptr) rest++;
  }
  return false;
}

// -1 if the kernel didn't say.
uid_t SenderOf(msghdr* message) {
  for (cmsghdr* header = CMSG_FIRSTHDR(message); header != nullptr; header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level != SOL_SOCKET) continue;
    if (header->cmsg_type == SCM_CREDENTIALS) {
      ucred sender;
      memcpy(&sender, CMSG_DATA(header), sizeof sender);
      return sender.uid;
    }
  }
  return static_cast<uid_t>(-1);
}

}  // namespace

// In the abstract name space, by a name of the kernel's choice: no file is left behind, and a chroot doesn't hide it.
int NotifySocket::Open(uid_t program_user) {
  program_user_ = program_user;
  fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd_ == -1) return errno;
  const int on = 1;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  socklen_t length = sizeof(sa_family_t);
  if (setsockopt(fd_, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == -1 ||
      bind(fd_, reinterpret_cast<sockaddr*>(&address), length) == -1) {
    const int error = errno;
    Close();
    return error;
  }
  length = sizeof address;
  getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length);
  const size_t name_length = std::min<size_t>(length - offsetof(sockaddr_un, sun_path) - 1, sizeof address_ - 2);
  address_[0] = '@';
  memcpy(address_ + 1, address.sun_path + 1, name_length);
  address_[1 + name_length] = '\0';
  return 0;
}

void NotifySocket::Close() {
  if (fd_ != -1) close(fd_);
  fd_ = -1;
}

// sd_notify can hand descriptors over: those that don't fit the control buffer, which has room for none, are closed by
// the kernel.
NotifySocket::Said NotifySocket::Read() const {
  Said said = {false, false};
  for (;;) {
    char text[4096];
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
    iovec part = {text, sizeof text - 1};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t length = recvmsg(fd_, &message, MSG_CMSG_CLOEXEC);
    if (length == -1 && errno == EINTR) continue;
    if (length == -1) return said;
    text[length] = '\0';
    const uid_t sender = SenderOf(&message);
    if (sender != 0 && sender != geteuid() && sender != program_user_) continue;
    said.ready |= Has(text, "READY=1");
    said.alive |= Has(text, "WATCHDOG=1");
  }
}

}  // namespace posix_daemon
