#pragma once

#include <algorithm>
#include <cstdarg>
#include <cstddef>
#include <cstdio>

namespace posix_daemon {

// A string without an allocation, put together as printf does it and cut where it doesn't fit.
template <size_t kCapacity>
class Text {
 public:
  Text() = default;
  [[gnu::format(printf, 2, 3)]] explicit Text(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    Add(format, arguments);
    va_end(arguments);
  }

  [[gnu::format(printf, 2, 3)]] void Append(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    Add(format, arguments);
    va_end(arguments);
  }

  const char* c_str() const { return text_; }
  size_t size() const { return size_; }

 private:
  [[gnu::format(printf, 2, 0)]] void Add(const char* format, va_list arguments) {
    const int length = vsnprintf(text_ + size_, sizeof text_ - size_, format, arguments);
    if (length > 0) size_ = std::min(size_ + length, sizeof text_ - 1);
  }

  size_t size_ = 0;
  char text_[kCapacity + 1] = {};
};

}  // namespace posix_daemon
